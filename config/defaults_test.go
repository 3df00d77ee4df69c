package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPracticeLeavesOutWhatMayStayAsTheExampleHasIt(t *testing.T) {
	example, err := Example()
	require.NoError(t, err)
	c, err := Load(file(t, valid))
	require.NoError(t, err)
	given := c.Practices[0]
	want := example.Practices[0]
	want.ID, want.Name, want.Phone, want.Huisartsenpost = given.ID, given.Name, given.Phone, given.Huisartsenpost
	want.Postcodes, want.HIS.Path = given.Postcodes, given.HIS.Path
	assert.Equal(t, want, given)
	assert.Equal(t, []string{"mon-fri 08:00-17:00"}, given.Hours)
}

func TestWhatAPracticeSaysStands(t *testing.T) {
	for _, tt := range []struct {
		name, hours string
		want        []string
	}{
		{"no hours, so that nothing is said about them", "hours: []", []string{}},
		{"other hours", `hours: ["mon 09:00-12:00"]`, []string{"mon 09:00-12:00"}},
		{"hours without a value are left out", "hours:", []string{"mon-fri 08:00-17:00"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(file(t, with(t, `
practices:
  - id: linde
    name: De Linde
    phone: "020 123 4567"
    huisartsenpost: "0880 003 0600"
    his: {path: his/linde}
    filing: {when: closing}
    `+tt.hours)))
			require.NoError(t, err)
			p := c.Practices[0]
			assert.Equal(t, tt.want, p.Hours)
			assert.Equal(t, "folder", p.HIS.Type)
			assert.Equal(t, FileClosing, p.Filing.When)
			assert.Equal(t, "30s", p.Filing.AskEvery.String(), "beside what is given in a group")
			assert.Empty(t, p.CRM.Type)
		})
	}
}

// What is nobody else's is asked for, and not taken from the example.
func TestAPracticeHasToGiveWhatIsItsOwn(t *testing.T) {
	_, err := Load(file(t, with(t, "practices: [{}]")))
	var found Mistakes
	require.ErrorAs(t, err, &found)
	for _, name := range []string{"id", "name", "phone", "huisartsenpost", "his.path"} {
		assert.Contains(t, settings(found), "practices[0]."+name)
	}
	assert.NotContains(t, err.Error(), "example's")
}
