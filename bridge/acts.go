package bridge

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spreekkamer/spreekkamer/care"
)

// acts is what can be in somebody's queue that did not happen in a room.
var acts = map[string]func(*Bridge, context.Context, place, act) error{
	identityAct: (*Bridge).identityCame,
	answerAct:   ofPatient((*Bridge).answerCame),
	stateAct:    ofPatient((*Bridge).stateCame),
	heldAct:     ofPatient((*Bridge).heldWent),
	remindAct:   ofPatient((*Bridge).reminderCame),
	checkedAct:  ofPatient((*Bridge).checkedCame),
}

// inAct handles a turn that is not from Matrix.
func (b *Bridge) inAct(ctx context.Context, p place) error {
	var a act
	if err := json.Unmarshal([]byte(p.Act), &a); err != nil {
		return fmt.Errorf("the act of turn %s: %w", p.EventID, errBroken)
	}
	handle, known := acts[a.Command]
	if !known {
		return b.finish(ctx, p, nil)
	}
	return handle(b, ctx, p, a)
}

// ofPatient finds whom an act is about. What is about somebody who is gone is over.
func ofPatient(handle func(*Bridge, context.Context, place, act, care.Person) error) func(*Bridge, context.Context, place, act) error {
	return func(b *Bridge, ctx context.Context, p place, a act) error {
		person, known, err := b.Store.Person(ctx, a.Person)
		if err != nil {
			return err
		}
		if !known {
			return b.finish(ctx, p, nil)
		}
		return handle(b, ctx, p, a, person)
	}
}
