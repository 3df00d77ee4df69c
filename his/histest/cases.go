package histest

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his"
)

func filesOne(t *testing.T, f Fixture) {
	item := Message(1)
	receipt := file(t, f.Connector, item)
	assert.False(t, receipt.Already)
	assert.NotEmpty(t, receipt.Reference)
	assert.NotContains(t, receipt.Reference, item.Conversation.Patient.Number, "a reference holds no personal data")
	record := only(t, f).Record
	for _, want := range []string{item.Text, "Jan de Vries", "999990019", "Huisartsenpraktijk De Linde"} {
		assert.Contains(t, record, want)
	}
}

func filesOnce(t *testing.T, f Fixture) {
	item := Message(1)
	first := file(t, f.Connector, item)
	before := f.Filed(t)
	again := file(t, f.Connector, item)
	assert.True(t, again.Already)
	assert.Equal(t, first.Reference, again.Reference)
	assert.Equal(t, before, f.Filed(t))
}

func filesOnceAtTheSameTime(t *testing.T, f Fixture) {
	item := Message(1)
	item.Attachments = append(item.Attachments, Big(1<<20))
	receipts := fileAll(t, f.Connector, slices.Repeat([]his.Item{item}, 8))
	fresh := slices.DeleteFunc(receipts, func(r his.Receipt) bool { return r.Already })
	assert.Len(t, fresh, 1)
	only(t, f)
}

func filesManyAtTheSameTime(t *testing.T, f Fixture) {
	var items []his.Item
	for patient := range 4 {
		for seq := range 4 {
			item := Message(seq + 1)
			item.ID = uuid.NewSHA1(item.ID, []byte{byte(patient)})
			item.Conversation.ID = uuid.NewSHA1(item.Conversation.ID, []byte{byte(patient)})
			item.Conversation.Number += int64(patient)
			items = append(items, item)
		}
	}
	fileAll(t, f.Connector, items)
	assert.Len(t, f.Filed(t), len(items))
}

func keepsOrder(t *testing.T, f Fixture) {
	var want []uuid.UUID
	for seq := 1; seq <= 12; seq++ {
		item := Message(seq)
		file(t, f.Connector, item)
		want = append(want, item.ID)
	}
	assert.Equal(t, want, ids(f.Filed(t)))
}

func filesSamples(t *testing.T, f Fixture) {
	for _, s := range Samples() {
		receipt, err := f.Connector.File(t.Context(), s.Item)
		require.NoError(t, err, s.Name)
		assert.False(t, receipt.Already, s.Name)
	}
	assert.Len(t, f.Filed(t), len(Samples()))
}

func filesAttachments(t *testing.T, f Fixture) {
	item := Message(1)
	item.Text = ""
	var want [][sha256.Size]byte
	for _, data := range []string{"first", "", "third\x00\xff"} {
		item.Attachments = append(item.Attachments, Photo("foto.jpg", []byte(data)))
		want = append(want, sha256.Sum256([]byte(data)))
	}
	file(t, f.Connector, item)
	assert.Equal(t, want, only(t, f).Attachments)
}

func filesDerde(t *testing.T, f Fixture) {
	for seq, derde := range []*his.Derde{Child(nil), Child(ChildPatient())} {
		item := Message(seq + 1)
		item.Conversation.Derde = derde
		file(t, f.Connector, item)
	}
	filed := f.Filed(t)
	require.Len(t, filed, 2)
	for _, item := range filed {
		for _, want := range []string{"Sanne de Vries", "dochter", "ouder of voogd", "2026-01"} {
			assert.Contains(t, item.Record, want)
		}
	}
	assert.Contains(t, filed[1].Record, "123456782", "a Derde whom the practice knows is named by BSN")
}

func filesChanges(t *testing.T, f Fixture) {
	said, edit, removal, closing := Message(1), Message(2), Message(3), Message(4)
	edit.Kind, edit.Replaces, edit.Text = his.KindEdit, said.ID, "Beter gezegd."
	removal.Kind, removal.Replaces, removal.Text = his.KindRemoval, said.ID, ""
	closing.Kind, closing.Text, closing.Closing = his.KindClosing, "", Document()
	for _, item := range []his.Item{said, edit, removal, closing} {
		file(t, f.Connector, item)
	}
	filed := f.Filed(t)
	require.Len(t, filed, 4)
	assert.Contains(t, filed[0].Record, said.Text)
	assert.Contains(t, filed[1].Record, "Beter gezegd.")
	assert.Contains(t, filed[2].Record, "verwijderd")
	for _, want := range []string{"Is deze plek erg?", "dat is een schaafwond", "S: plek op arm", "Telemedicine"} {
		assert.Contains(t, filed[3].Record, want)
	}
}

func file(t testing.TB, c his.Connector, item his.Item) his.Receipt {
	t.Helper()
	receipt, err := c.File(t.Context(), item)
	require.NoError(t, err)
	return receipt
}

func fileAll(t testing.TB, c his.Connector, items []his.Item) []his.Receipt {
	t.Helper()
	receipts, errs := make([]his.Receipt, len(items)), make([]error, len(items))
	var all sync.WaitGroup
	for i, item := range items {
		all.Go(func() { receipts[i], errs[i] = c.File(context.Background(), item) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return receipts
}

func only(t testing.TB, f Fixture) Filed {
	t.Helper()
	filed := f.Filed(t)
	require.Len(t, filed, 1)
	return filed[0]
}

func ids(filed []Filed) (all []uuid.UUID) {
	for _, f := range filed {
		all = append(all, f.ID)
	}
	return all
}
