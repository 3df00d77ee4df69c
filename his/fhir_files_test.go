package his

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

func TestTheFilesOfOneAnswerAreBounded(t *testing.T) {
	for _, tt := range []struct {
		before int64
		files  int
		want   Problem
	}{{0, 1, ""}, {mostFiles - 3, 2, ""}, {mostFiles - 2, 1, ProblemTooLarge}} {
		var a Answer
		if tt.before > 0 {
			a.Attachments = []Attachment{{Size: tt.before}}
		}
		require.NoError(t, new(fhirServer).readFile(t.Context(), fhir.Attachment{Data: "AAAA"}, &a))
		assert.Equal(t, tt.want, a.Problem)
		assert.Len(t, a.Attachments, tt.files)
	}
}
