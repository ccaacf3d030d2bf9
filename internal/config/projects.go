package config

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// projectsSection is the section of the file with the settings of each Firebase project. Only the
// file has it, because it has keys of the operator's choice.
const projectsSection = "projects"

// projectSections are the sections that a project may set for itself.
var projectSections = []string{"fcm", "pacing", "breaker"}

// projectKeys are the settings that a project may have for itself. Its id is the name of its
// section.
func projectKeys() []Key {
	return slices.DeleteFunc(Describe(), func(key Key) bool {
		section, _, _ := strings.Cut(key.Name, ".")
		return !slices.Contains(projectSections, section) || key.Name == "fcm.project_id"
	})
}

// Served returns the settings of each Firebase project that a dispatcher serves: those of
// dispatcher.projects, else all. Without a section projects there is one, with these settings.
func (s Settings) Served() []Settings {
	if len(s.Projects) == 0 {
		return []Settings{s}
	}
	if len(s.Dispatcher.Projects) == 0 {
		return s.Projects
	}
	return slices.DeleteFunc(slices.Clone(s.Projects), func(p Settings) bool {
		return !slices.Contains(s.Dispatcher.Projects, p.FCM.ProjectID)
	})
}

// ForProject returns the settings of a Firebase project. Without a section projects, they are these
// settings, whatever the project.
func (s Settings) ForProject(id string) (p Settings, known bool) {
	if len(s.Projects) == 0 {
		return s, true
	}
	for _, p := range s.Projects {
		if p.FCM.ProjectID == id {
			return p, true
		}
	}
	return Settings{}, false
}

// ProjectIDs returns the ids of the section projects, in the order of the file.
func (s Settings) ProjectIDs() (ids []string) {
	for _, p := range s.Projects {
		ids = append(ids, p.FCM.ProjectID)
	}
	return ids
}

// project is one entry of the section projects.
type project struct {
	id     string
	line   int
	values map[string]*yaml.Node // of its settings, by their key
}

// findProjects reads the section projects, and returns an error with the line of each key that is
// unknown there.
func (f *file) findProjects(node *yaml.Node) []error {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return []error{&Error{Origin: f.position(node.Line), Key: projectsSection, Problem: "is a section, not a value", Allowed: "the id of each Firebase project as an indented key"}}
	}
	var errs []error
	for i := 0; i+1 < len(node.Content); i += 2 {
		id, settings := node.Content[i], node.Content[i+1]
		switch {
		case id.Value == "" || strings.ContainsFunc(id.Value, isForbiddenInProjectID):
			errs = append(errs, &Error{Origin: f.position(id.Line), Key: projectsSection, Problem: "has a key that cannot be a Firebase project (not shown)", Allowed: "letters, digits, '-', '.' and ':', as in my-project"})
		case slices.ContainsFunc(f.projects, func(p project) bool { return p.id == id.Value }):
			errs = append(errs, &Error{Origin: f.position(id.Line), Key: projectsSection + "." + id.Value, Problem: "is set twice"})
		default:
			errs = append(errs, f.findProject(project{id: id.Value, line: id.Line}, settings)...)
		}
	}
	return errs
}

func (f *file) findProject(p project, settings *yaml.Node) []error {
	prefix := projectsSection + "." + p.id + "."
	known := make(map[string]bool)
	for _, key := range projectKeys() {
		known[prefix+key.Name] = true
		section, _, _ := strings.Cut(key.Name, ".")
		known[prefix+section+"."] = true
	}
	errs := f.findKeys(settings, prefix, known)
	p.values = make(map[string]*yaml.Node)
	collectValues(settings, "", p.values)
	f.projects = append(f.projects, p)
	return errs
}

// collectValues collects the values of a mapping of sections by their key.
func collectValues(node *yaml.Node, prefix string, into map[string]*yaml.Node) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		into[strings.TrimSuffix(prefix, ".")] = node
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		collectValues(node.Content[i+1], prefix+node.Content[i].Value+".", into)
	}
}

// addProjects sets the settings of each project of the file. What a project leaves out is as in s.
func (s *Settings) addProjects(f file) error {
	var errs []error
	for _, entry := range f.projects {
		p, err := s.overlay(f, entry)
		errs = append(errs, err)
		s.Projects = append(s.Projects, p)
	}
	if len(s.Projects) > 0 && s.FCM.ProjectID != "" {
		errs = append(errs, &Error{
			Key: "fcm.project_id", Origin: s.origin("fcm.project_id").name, Problem: "cannot be used together with projects",
			Allowed: "the section projects only",
		})
	}
	for _, id := range s.Dispatcher.Projects {
		if !slices.Contains(s.ProjectIDs(), id) { // it may be a secret in the wrong place
			errs = append(errs, &Error{
				Key: "dispatcher.projects", Origin: s.origin("dispatcher.projects").name, Problem: "names a project that is not in the section projects (not shown)",
				Allowed: describeIDs(s.ProjectIDs()),
			})
		}
	}
	return errors.Join(errs...)
}

func describeIDs(ids []string) string {
	if len(ids) == 0 {
		return "a section projects in the settings file"
	}
	return "some of: " + strings.Join(ids, ", ")
}

// overlay returns the settings with those that a project sets for itself.
func (s *Settings) overlay(f file, entry project) (p Settings, err error) {
	p = *s
	p.Projects, p.origins, p.warnings = nil, maps.Clone(s.origins), nil
	p.FCM.ProjectID = entry.id
	p.origins["fcm.project_id"] = origin{layerFile, f.position(entry.line)}
	if entry.values["fcm.credentials"] != nil || entry.values["fcm.credentials_file"] != nil {
		p.FCM.Credentials, p.FCM.CredentialsFile = "", "" // those of all projects are not this one's
	}
	var errs []error
	target := reflect.ValueOf(&p).Elem()
	for _, key := range projectKeys() {
		node := entry.values[key.Name]
		if node == nil || isNull(node) {
			continue
		}
		from := origin{layerFile, f.position(node.Line)}
		name := key.Name
		key.Name = projectsSection + "." + entry.id + "." + name
		var raw any
		if err := node.Decode(&raw); err != nil {
			errs = append(errs, key.newError(nil, err, from))
			continue
		}
		value, err := key.parse(raw)
		if err != nil {
			errs = append(errs, key.newError(raw, err, from))
			continue
		}
		target.FieldByIndex(key.index).Set(value)
		p.origins[name] = from
	}
	if err := errors.Join(errs...); err != nil {
		return p, err
	}
	return p, p.check()
}
