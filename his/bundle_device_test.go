package his_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/loose"
)

// Who filed something, and by which version of the software, can be looked up in the record.
func TestTheBridgeIsADevice(t *testing.T) {
	defer his.Is("v1.2.3")()
	item := histest.Message(1)
	item.Author = his.Author{Role: his.RoleBridge}
	_, b := write(t, item)
	device := b.one(t, "Device")
	r := loose.Resource(device.Resource)
	assert.Equal(t, "Spreekkamer", r.Text("deviceName.name"))
	assert.Equal(t, "v1.2.3", r.Text("version.value"))
	assert.Equal(t, b.one(t, "Organization").FullURL, r.Text("owner.reference"))
	assert.Equal(t, "POST", device.Request.Method)
	assert.Contains(t, device.Request.IfNoneExist, r.Text("identifier.value"))
	for kind, paths := range map[string][]string{
		"AuditEvent": {"agent.who", "source.observer"}, "Provenance": {"agent.who"},
	} {
		for _, path := range paths {
			assert.Equal(t, device.FullURL, loose.Resource(b.one(t, kind).Resource).Text(path+".reference"), "%s %s", kind, path)
		}
	}
	assembler := loose.Resource(b.one(t, "Provenance").Resource).List("agent")[1]
	assert.Equal(t, device.FullURL, assembler.Text("who.reference"))
	assert.Equal(t, "Spreekkamer", assembler.Text("who.display"))
	back := his.Is("v1.2.4")
	_, next := write(t, item)
	back()
	assert.NotEqual(t, device.FullURL, next.one(t, "Device").FullURL, "what was filed by an earlier version stays so")
	item.Conversation.Practice.ID = "eik"
	_, other := write(t, item)
	assert.NotEqual(t, device.FullURL, other.one(t, "Device").FullURL, "it has another owner")
}

func TestAServerGetsTheDeviceOnceIfItKeepsDevices(t *testing.T) {
	for name, tt := range map[string]struct {
		can  func(*fakeFHIR)
		want int
	}{
		"in transactions":               {func(f *fakeFHIR) { f.can(true, true, true, allTypes...) }, 1},
		"one by one":                    {func(f *fakeFHIR) { f.can(false, true, true, allTypes...) }, 1},
		"that makes things twice":       {func(f *fakeFHIR) { f.can(true, false, true, allTypes...) }, 1},
		"none, in transactions":         {func(f *fakeFHIR) { f.can(true, true, true, without("Device")...) }, 0},
		"none, one by one":              {func(f *fakeFHIR) { f.can(false, true, true, without("Device")...) }, 0},
		"that might make Devices twice": {func(f *fakeFHIR) { f.can(true, true, true, allTypes...); f.twice("Device") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFHIR(t)
			tt.can(f)
			c := fhirAt(t, f, nil)
			for seq := range 3 {
				fileIn(t, c, histest.Message(seq+1))
			}
			mistake := histest.Message(4)
			mistake.Kind, mistake.Author, mistake.Text = his.KindMistake, his.Author{Name: "Fatima", Role: his.RoleDoktersassistent}, "Verkeerd."
			fileIn(t, c, mistake)
			assert.Len(t, f.find("Provenance", ""), 4)
			devices := f.find("Device", "")
			require.Len(t, devices, tt.want)
			for _, at := range f.find("Provenance", "") {
				who := loose.Resource(f.newest(at)).List("agent")[1]
				if tt.want == 1 {
					assert.Equal(t, devices[0], who.Text("who.reference"))
					continue
				}
				assert.Empty(t, who.Text("who.reference"))
				assert.Equal(t, "Device", who.Text("who.type"))
				assert.NotEmpty(t, who.Text("who.identifier.value"))
			}
		})
	}
}
