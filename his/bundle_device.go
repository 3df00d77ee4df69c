package his

import (
	"cmp"
	"runtime/debug"

	"github.com/google/uuid"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

// version is which Spreekkamer this is, as the command says it.
var version = func() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		info = new(debug.BuildInfo)
	}
	return cmp.Or(info.Main.Version, "(devel)")
}()

// device adds who files: the bridge, at this practice and of this version. Another version is another
// Device, so that of each filing it stays known by which it was done. Where there are no Devices it is
// named by an identifier alone.
func (m *mapper) device(of Practice) fhir.Reference {
	if m.lack("Device") {
		return worded("Device", derive(namespace, "bridge"), assigner)
	}
	id := deviceID(of)
	ref := m.create(id, fhir.Device{
		ResourceType: "Device",
		Identifier:   []fhir.Identifier{*ours(id)},
		Status:       "active",
		DeviceName:   []fhir.DeviceName{{Name: assigner, Type: "user-friendly-name"}},
		Type:         text("Software: koppelt de chat met de patiënt aan het dossier"),
		Version:      []fhir.DeviceVersion{{Value: version}},
		Owner:        &m.practice,
	}, byIdentifier(id))
	ref.Display = assigner
	return ref
}

func deviceID(of Practice) uuid.UUID { return derive(namespace, "bridge", of.ID, version) }
