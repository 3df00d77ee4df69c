package care_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spreekkamer/spreekkamer/care"
)

func TestRemovingBeginsAThirtiethOfThePeriodBeforeTheLimit(t *testing.T) {
	sent := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for period, earlier := range map[time.Duration]time.Duration{
		30 * 24 * time.Hour: 24 * time.Hour, 30 * time.Second: time.Second, 0: 0, -time.Hour: 0,
	} {
		due := sent.Add(period)
		assert.Equal(t, due.Add(-earlier), care.Begin(sent, due), period.String())
	}
}

func TestPeopleHearOfTroubleAtTwoThirdsOfThePeriod(t *testing.T) {
	for period, after := range map[time.Duration]time.Duration{
		30 * 24 * time.Hour: 20 * 24 * time.Hour, 90 * 24 * time.Hour: 20 * 24 * time.Hour, 30 * time.Second: 20 * time.Second,
	} {
		assert.Equal(t, after, care.AlarmAfter(period))
	}
}
