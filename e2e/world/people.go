package world

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
)

// staff is who works in the practice of every world.
var staff = []Person{
	{UserID: "fatima", Name: "Fatima", Role: "doktersassistent"},
	{UserID: "devries", Name: "Dokter De Vries", Role: "huisarts"},
	{UserID: "joost", Name: "Joost", Role: "beheer"},
}

// people makes the accounts of staff and patients.
func (w *World) people(ctx context.Context) (err error) {
	w.Bot = "@spreekkamer:" + w.Home.ServerName
	for _, s := range staff {
		p := s
		if p, err = register(ctx, w.Home, p.UserID); err != nil {
			return err
		}
		p.Name, p.Role = s.Name, s.Role
		w.Staff = append(w.Staff, p)
	}
	if w.Patients, err = patients(ctx, w.Home, w.opts.Patients); err != nil || w.Second == nil {
		return err
	}
	w.SecondPatients, err = patients(ctx, w.Second, w.opts.Patients)
	return err
}

// Colleague makes an account on the practice's homeserver for someone who is not yet staff.
func (w *World) Colleague(ctx context.Context, name string) (Person, error) {
	return register(ctx, w.Home, name)
}

func patients(ctx context.Context, h *harness.Homeserver, n int) (all []Person, err error) {
	for i := range n {
		p, err := register(ctx, h, fmt.Sprintf("patient%02d", i+1))
		if err != nil {
			return all, err
		}
		p.Role = "patient"
		all = append(all, p)
	}
	return all, nil
}

func register(ctx context.Context, h *harness.Homeserver, name string) (Person, error) {
	user, err := h.CreateUser(ctx, name, Password, false)
	return Person{UserID: user, Password: Password}, err
}

// Login gives a person a client of their own, which is not our code.
func (w *World) Login(ctx context.Context, p Person) (*client.Client, error) {
	return w.LoginAs(ctx, p, client.SignDevice)
}

// LoginAs is Login with a choice about the person's cross-signing identity.
func (w *World) LoginAs(ctx context.Context, p Person, identity client.Identity) (*client.Client, error) {
	if w.driver == nil {
		driver, err := client.StartDriver(ctx, filepath.Join(w.Dir, "clients.log"))
		if err != nil {
			return nil, err
		}
		w.driver = driver
	}
	return w.driver.LoginWith(ctx, client.LoginOptions{
		BaseURL: w.homeOf(p).URL, UserID: p.UserID, Password: p.Password, Identity: identity,
	})
}

func (w *World) homeOf(p Person) *harness.Homeserver {
	for _, other := range w.SecondPatients {
		if other.UserID == p.UserID {
			return w.Second
		}
	}
	return w.Home
}

// ServerOf is the homeserver that a user id names.
func ServerOf(user string) string {
	_, server, _ := strings.Cut(user, ":")
	return server
}
