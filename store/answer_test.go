package store

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnAnswerIsSealedUntilItWasShownEverywhere(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		missing[Answer](t)(s.Answer(t.Context(), "a1"))
		a := Answer{ID: "a1", Lane: "his:zuid", Reference: "Communication/7", Person: "p", Conversation: "c", State: AnswerReceived, At: noon}
		require.NoError(t, s.AddAnswer(t.Context(), a, []byte("words")))
		require.Equal(t, a, found[Answer](t)(s.Answer(t.Context(), "a1")))
		require.Equal(t, []byte("words"), found[[]byte](t)(s.ReadAnswer(t.Context(), "a1")))
		require.NoError(t, s.ShowAnswer(t.Context(), "a1", 2))
		require.NoError(t, s.AnswerShown(t.Context(), "a1"))
		require.Equal(t, []byte("words"), found[[]byte](t)(s.ReadAnswer(t.Context(), "a1")))
		require.NoError(t, s.AnswerShown(t.Context(), "a1"))
		missing[[]byte](t)(s.ReadAnswer(t.Context(), "a1"))
		require.NoError(t, s.MoveAnswer(t.Context(), "a1", AnswerDelivered))
		require.Equal(t, AnswerDelivered, found[Answer](t)(s.Answer(t.Context(), "a1")).State)
		must[int64](t)(s.ForgetDone(t.Context(), noon.Add(1000*lease)))
		found[Answer](t)(s.Answer(t.Context(), "a1"))
	})
}

func TestAnAnswerThatIsNotShownIsForgottenButForItsName(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.AddAnswer(t.Context(), Answer{ID: "a1", State: AnswerReceived, At: noon}, []byte("words")))
		require.NoError(t, s.AddAnswer(t.Context(), Answer{ID: "a2", State: AnswerFailed, At: noon}, nil))
		missing[[]byte](t)(s.ReadAnswer(t.Context(), "a2"))
		require.NoError(t, s.DropAnswer(t.Context(), "a1"))
		missing[[]byte](t)(s.ReadAnswer(t.Context(), "a1"))
		require.Equal(t, AnswerFailed, found[Answer](t)(s.Answer(t.Context(), "a1")).State)
	})
}

func TestAnAnswerIsKeptOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.AddAnswer(t.Context(), Answer{ID: "a1", At: noon}, nil))
		require.Error(t, s.AddAnswer(t.Context(), Answer{ID: "a1", At: noon}, nil))
	})
}

func TestAnswersGoWithThePersonTheyWereFor(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		p := anna()
		require.NoError(t, s.SavePerson(t.Context(), p))
		require.NoError(t, s.AddAnswer(t.Context(), Answer{ID: "a1", Person: p.ID, At: noon}, []byte("words")))
		require.NoError(t, s.AddAnswer(t.Context(), Answer{ID: "a2", At: noon}, nil))
		require.NoError(t, s.DeletePerson(t.Context(), p.ID))
		missing[Answer](t)(s.Answer(t.Context(), "a1"))
		found[Answer](t)(s.Answer(t.Context(), "a2"))
	})
}

func TestACursorStaysWhereItWasPut(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.Empty(t, must[string](t)(s.Cursor(t.Context(), "answers his:zuid")))
		require.NoError(t, s.SetCursor(t.Context(), "answers his:zuid", "17"))
		require.NoError(t, s.SetCursor(t.Context(), "answers his:zuid", "18"))
		require.Equal(t, "18", must[string](t)(s.Cursor(t.Context(), "answers his:zuid")))
		require.Empty(t, must[string](t)(s.Cursor(t.Context(), "states his:zuid")))
	})
}

func TestThePrintOfAnAnswerIsSealed(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		require.NoError(t, s.AddAnswer(ctx, Answer{ID: "a", Lane: "his:zuid", State: AnswerReceived, At: noon}, nil))
		_, known, err := s.PrintOfAnswer(ctx, "a")
		require.NoError(t, err)
		require.False(t, known)
		require.NoError(t, s.SavePrint(ctx, "a", []byte("print")))
		print, known, err := s.PrintOfAnswer(ctx, "a")
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, []byte("print"), print)
		sealed, _, err := one(ctx, s, scalar[[]byte], getPrint, "a")
		require.NoError(t, err)
		require.NotContains(t, string(sealed), base64.StdEncoding.EncodeToString([]byte("print")))
		require.Error(t, s.seal.open("answer.print", "b", sealed, &print), "it is of another answer")
		must[int64](t)(s.ForgetDone(ctx, noon))
		_, known, err = s.PrintOfAnswer(ctx, "a")
		require.NoError(t, err)
		require.True(t, known)
		must[int64](t)(s.ForgetDone(ctx, noon.Add(lease)))
		_, known, err = s.PrintOfAnswer(ctx, "a")
		require.NoError(t, err)
		require.False(t, known, "it goes with the words")
	})
}

func TestTheAnswersForSomebodyAreFound(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		one := Answer{ID: "a1", Lane: "his:zuid", Reference: "Task/7#0", Person: "p", Conversation: "c", State: AnswerReceived, At: noon}
		two, other, nobodys := one, one, one
		two.ID, two.At = "a0", noon.Add(lease)
		other.ID, other.Person = "a2", "q"
		nobodys.ID, nobodys.Person = "a3", ""
		for _, a := range []Answer{two, one, other, nobodys} {
			require.NoError(t, s.AddAnswer(ctx, a, nil))
		}
		require.NoError(t, s.SetWithdrawn(ctx, "a0", true))
		two.Withdrawn = true
		require.Equal(t, []Answer{one, two}, must[[]Answer](t)(s.AnswersOf(ctx, "p")))
		require.Empty(t, must[[]Answer](t)(s.AnswersOf(ctx, "")))
		require.NoError(t, s.SetWithdrawn(ctx, "a0", false))
		require.False(t, found[Answer](t)(s.Answer(ctx, "a0")).Withdrawn)
	})
}
