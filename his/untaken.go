package his

import "errors"

// An untaken error is of a try of which the system took nothing.
type untaken struct{ error }

func (u untaken) Unwrap() error { return u.error }

// Untaken says that an error of Connector.File is certain: nothing of the item came into the system
// with this try, because nothing was sent (a Flaw), or because the system refused all of it. Of every other
// error it is not known what became of the item.
func Untaken(err error) bool {
	var u untaken
	var flaw Flaw
	return errors.As(err, &u) || errors.As(err, &flaw)
}
