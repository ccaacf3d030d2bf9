package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"fanfare/internal/operator"
)

// errNoProject is a console without credentials, or with pacing disabled.
var errNoProject = &problem{
	Status: http.StatusNotImplemented, Title: "No project is known", Detail: "Start the console with fcm.project_id, and pacing enabled.",
}

// findProject returns the project that a path names: /projects/{id}, or /project for the only one.
// It has a pace.
func (a *API) findProject(r *http.Request) (operator.Project, error) {
	id := r.PathValue("id")
	project, known := a.deps.Projects.Find(id)
	if id == "" {
		project, known = a.deps.Projects.Single()
	}
	switch {
	case known && project.Pace != nil:
		return project, nil
	case known && id != "":
		return project, &problem{Status: http.StatusNotImplemented, Title: "The project has no quota", Detail: "Pacing is disabled for " + id + "."}
	case id != "":
		return project, a.noSuchProject(id)
	case len(a.deps.Projects) > 1:
		return project, badRequest("there are several projects: use %s/projects/{id}, with one of %s", Prefix, strings.Join(a.deps.Projects.IDs(), ", "))
	}
	return project, errNoProject
}

func (a *API) noSuchProject(id string) *problem {
	known := "no Firebase project is known"
	if ids := a.deps.Projects.IDs(); len(ids) > 0 {
		known = "the settings have " + strings.Join(ids, ", ")
	}
	return &problem{Status: http.StatusNotFound, Title: "No such project", Detail: fmt.Sprintf("There is no project %q; %s.", id, known)}
}

// showOnlyProject shows the pace of the only project, and what waits between FCM and SQL.
func (a *API) showOnlyProject(r *http.Request) (int, any, error) {
	backlog, err := a.deps.System.Backlog(r.Context())
	if err != nil {
		return 0, nil, err
	}
	var quota *operator.QuotaView
	if project, ok := a.deps.Projects.Single(); ok {
		if quota, err = readQuota(r.Context(), project); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, map[string]any{"quota": quota, "backlog": backlog}, nil
}

// projectAnswer is a project with its pace; null without one.
type projectAnswer struct {
	Project string              `json:"project"`
	Quota   *operator.QuotaView `json:"quota"`
}

// readQuota returns the pace of a project; nil if it has none.
func readQuota(ctx context.Context, project operator.Project) (*operator.QuotaView, error) {
	if project.Pace == nil {
		return nil, nil
	}
	state, err := project.Pace.State(ctx)
	if err != nil {
		return nil, err
	}
	return new(operator.NewQuotaView(project.ID, state)), nil
}

func (a *API) listProjects(r *http.Request) (int, any, error) {
	all := []projectAnswer{}
	for _, project := range a.deps.Projects {
		quota, err := readQuota(r.Context(), project)
		if err != nil {
			return 0, nil, err
		}
		all = append(all, projectAnswer{project.ID, quota})
	}
	return http.StatusOK, map[string]any{"projects": all}, nil
}

func (a *API) showProject(r *http.Request) (int, any, error) {
	project, known := a.deps.Projects.Find(r.PathValue("id"))
	if !known {
		return 0, nil, a.noSuchProject(r.PathValue("id"))
	}
	quota, err := readQuota(r.Context(), project)
	return http.StatusOK, projectAnswer{project.ID, quota}, err
}

func (a *API) showProjectHistory(r *http.Request) (int, any, error) {
	project, err := a.findProject(r)
	if err != nil {
		return 0, nil, err
	}
	entries, err := project.Pace.History(r.Context())
	return http.StatusOK, map[string]any{"entries": entries}, err
}

func (a *API) haltProject(r *http.Request) (int, any, error) {
	t, err := a.readTransition(r)
	if err != nil {
		return 0, nil, err
	}
	project, err := a.findProject(r)
	if err != nil {
		return 0, nil, err
	}
	return stateAfter(r, project, project.Pace.Halt(r.Context(), cmp.Or(t.Reason, "by "+a.actor(r))))
}

func (a *API) resumeProject(r *http.Request) (int, any, error) {
	if _, err := a.readTransition(r); err != nil {
		return 0, nil, err
	}
	project, err := a.findProject(r)
	if err != nil {
		return 0, nil, err
	}
	return stateAfter(r, project, project.Pace.Resume(r.Context()))
}

// stateAfter answers with the pace after a change.
func stateAfter(r *http.Request, project operator.Project, err error) (int, any, error) {
	var quota *operator.QuotaView
	if err == nil {
		quota, err = readQuota(r.Context(), project)
	}
	return http.StatusOK, map[string]any{"quota": quota}, err
}

func (a *API) listProcesses(r *http.Request) (int, any, error) {
	processes, err := a.deps.System.Processes(r.Context())
	return http.StatusOK, map[string]any{"processes": processes}, err
}
