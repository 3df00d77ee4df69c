package his

import (
	"errors"
	"strings"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

// What is wrong is named by codes. The words for staff are texts of the bridge, one for each code,
// in every language.

// A Flaw is why an item cannot be filed, as a connector sees it by itself: text unfiled.why.….
// It is an error, and one that a person has to look at (ErrRefused). A connector may add its own.
type Flaw string

// The flaws.
const (
	FlawNoID           Flaw = "no_id"
	FlawNoPlace        Flaw = "no_place"
	FlawUnknownKind    Flaw = "unknown_kind"
	FlawNoTime         Flaw = "no_time"
	FlawNoAuthor       Flaw = "no_author"
	FlawNoConversation Flaw = "no_conversation"
	FlawNotOpened      Flaw = "not_opened"
	FlawNoPractice     Flaw = "no_practice"
	FlawPracticeCode   Flaw = "practice_code"
	FlawPatientNumber  Flaw = "patient_number"
	FlawDerde          Flaw = "derde"
	FlawTooLong        Flaw = "too_long"
	FlawDocument       Flaw = "document"
	FlawReplacesNone   Flaw = "replaces_nothing"
	FlawNoDerde        Flaw = "no_derde"
	FlawAttachment     Flaw = "attachment"
	FlawNotThere       Flaw = "not_there" // what is to be marked as a mistake: the system has nothing of it
)

// Error says it for the log.
func (f Flaw) Error() string { return strings.ReplaceAll(string(f), "_", " ") }

// Is makes every flaw an ErrRefused.
func (f Flaw) Is(target error) bool { return target == ErrRefused }

// Refusals are all codes of what is shown to staff of an item that was refused, for who has to have
// words for them.
func Refusals() (all []string) {
	for _, r := range requirements {
		all = append(all, string(r.flaw))
	}
	all = append(all, string(FlawNotThere))
	for _, code := range rest.Finals {
		all = append(all, string(code))
	}
	return all
}

// WhyRefused is the code of what is wrong with an item, and in which elements a server saw it, for
// words to staff; "" when the error does not say.
func WhyRefused(err error) (why, where string) {
	var flaw Flaw
	if errors.As(err, &flaw) {
		return string(flaw), ""
	}
	var answered *rest.Error
	if !errors.As(err, &answered) {
		return "", ""
	}
	return string(answered.Code), answered.Where
}

// A Problem is why an answer must not be passed on: text answer.why.….
type Problem string

// The problems.
const (
	ProblemUnreadable     Problem = "unreadable"
	ProblemNoAuthor       Problem = "no_author"
	ProblemNoText         Problem = "no_text"
	ProblemOtherPatient   Problem = "other_patient"   // than the question
	ProblemWithdrawn      Problem = "withdrawn"       // the question was filed in a wrong record
	ProblemFileMissing    Problem = "file_missing"    // an attachment
	ProblemFileUnreadable Problem = "file_unreadable" // an attachment
	ProblemFileElsewhere  Problem = "file_elsewhere"  // an attachment that lies outside the system

	// Of a file that a person wrote: what is missing in it, and how it is written.
	ProblemTooLarge       Problem = "file_too_large"
	ProblemNoConversation Problem = "no_line_conversation"
	ProblemBirthDate      Problem = "line_birth_date"
	ProblemNoPatient      Problem = "no_line_patient"
	ProblemNoName         Problem = "no_line_author"
	ProblemNoWords        Problem = "no_words"
)

// Problems are all that there are, for who has to have words for them.
func Problems() []Problem {
	return []Problem{
		ProblemUnreadable, ProblemNoAuthor, ProblemNoText, ProblemOtherPatient, ProblemWithdrawn, ProblemFileMissing,
		ProblemFileUnreadable, ProblemFileElsewhere, ProblemTooLarge, ProblemNoConversation, ProblemBirthDate,
		ProblemNoPatient, ProblemNoName, ProblemNoWords,
	}
}

// problemIf names a problem when it is there.
func problemIf(is bool, p Problem) Problem {
	if is {
		return p
	}
	return ""
}
