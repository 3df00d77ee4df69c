package care

import "fmt"

// AccountState is where an account stands (requirement A8).
type AccountState string

// The states of an account, in the order in which most accounts pass them.
const (
	New          AccountState = "new"          // seen, nothing said yet
	Informed     AccountState = "informed"     // got the privacy statement
	Consented    AccountState = "consented"    // said yes to both purposes
	Registering  AccountState = "registering"  // answers the registration questions
	Incomplete   AccountState = "incomplete"   // refused something that is required
	Awaiting     AccountState = "awaiting"     // complete; staff have to verify it
	Active       AccountState = "active"       // verified by a named person
	Unconfirmed  AccountState = "unconfirmed"  // their cryptographic identity changed; staff have to look again
	Restricted   AccountState = "restricted"   // GDPR article 18: kept, not used
	Suspended    AccountState = "suspended"    // stopped for a time, by a named person
	Withdrawn    AccountState = "withdrawn"    // took a consent back
	Refused      AccountState = "refused"      // under 16: everything but a count goes
	Declined     AccountState = "declined"     // staff could not verify it
	Deregistered AccountState = "deregistered" // ended by patient or practice
	Purged       AccountState = "purged"       // account data are gone
)

// A Step is what happens to an account.
type Step string

// The steps of an account.
const (
	Inform       Step = "inform"
	GiveConsent  Step = "give consent"
	AgreeTerms   Step = "agree to terms"
	RefuseAsked  Step = "refuse what is required"
	BeginAgain   Step = "begin again"
	Complete     Step = "complete"
	TooYoung     Step = "too young"
	Approve      Step = "approve"
	Decline      Step = "decline"
	LoseIdentity Step = "change identity"
	Confirm      Step = "confirm identity"
	Restrict     Step = "restrict"
	Unrestrict   Step = "lift restriction"
	Suspend      Step = "suspend"
	Reinstate    Step = "end suspension"
	WithdrawStep Step = "withdraw"
	Deregister   Step = "deregister"
	Purge        Step = "purge"
)

// moves is the whole account machine: a step that is not listed is refused.
var moves = map[AccountState]map[Step]AccountState{
	New:         {Inform: Informed, Deregister: Deregistered},
	Informed:    {Inform: Informed, GiveConsent: Consented, BeginAgain: Informed, WithdrawStep: Withdrawn, Deregister: Deregistered},
	Consented:   {AgreeTerms: Registering, RefuseAsked: Incomplete, WithdrawStep: Withdrawn, Deregister: Deregistered},
	Registering: {Complete: Awaiting, RefuseAsked: Incomplete, TooYoung: Refused, WithdrawStep: Withdrawn, Deregister: Deregistered},
	Incomplete:  {BeginAgain: Informed, WithdrawStep: Withdrawn, Deregister: Deregistered},
	Awaiting: {
		Approve: Active, Decline: Declined, TooYoung: Refused, WithdrawStep: Withdrawn, Deregister: Deregistered,
	},
	Active: {
		LoseIdentity: Unconfirmed, Restrict: Restricted, Suspend: Suspended, WithdrawStep: Withdrawn, Deregister: Deregistered,
	},
	Unconfirmed: {
		LoseIdentity: Unconfirmed, Confirm: Active, Decline: Declined, Restrict: Restricted, Suspend: Suspended,
		WithdrawStep: Withdrawn, Deregister: Deregistered,
	},
	Restricted:   {Unrestrict: Active, WithdrawStep: Withdrawn, Deregister: Deregistered},
	Suspended:    {Reinstate: Active, Restrict: Restricted, WithdrawStep: Withdrawn, Deregister: Deregistered},
	Withdrawn:    {BeginAgain: Informed, Deregister: Deregistered},
	Declined:     {BeginAgain: Informed, WithdrawStep: Withdrawn, Deregister: Deregistered},
	Refused:      {Purge: Purged},
	Deregistered: {BeginAgain: Informed, Purge: Purged},
	Purged:       {},
}

// Move returns the state after a step, or an error when the step is not listed.
func (s AccountState) Move(step Step) (AccountState, error) {
	to, ok := moves[s][step]
	if !ok {
		return s, fmt.Errorf("account that is %s: cannot %s", s, step)
	}
	return to, nil
}

// consents says whether both consents stand in a state; in the others what someone wrote
// may not even be kept (requirement A7).
func (s AccountState) consents() bool {
	switch s {
	case Consented, Registering, Incomplete, Awaiting, Active, Unconfirmed, Restricted, Suspended, Declined:
		return true
	}
	return false
}

// can says whether a step is listed in a state.
func (s AccountState) can(step Step) bool {
	_, ok := moves[s][step]
	return ok
}
