package api

import (
	"net/http"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// errNoProject is a console without credentials, or with pacing disabled.
var errNoProject = &problem{
	Status: http.StatusNotImplemented, Title: "No project is known", Detail: "Start the console with fcm.project_id, and pacing enabled.",
}

// showProject shows the pace of the project, and what waits between FCM and SQL.
func (a *API) showProject(r *http.Request) (int, any, error) {
	backlog, err := a.deps.System.Backlog(r.Context())
	if err != nil {
		return 0, nil, err
	}
	var quota *operator.QuotaView
	if a.deps.Project != nil {
		state, err := a.deps.Project.State(r.Context())
		if err != nil {
			return 0, nil, err
		}
		quota = new(operator.NewQuotaView(a.opts.ProjectID, state))
	}
	return http.StatusOK, map[string]any{"quota": quota, "backlog": backlog}, nil
}

func (a *API) showProjectHistory(r *http.Request) (int, any, error) {
	if a.deps.Project == nil {
		return 0, nil, errNoProject
	}
	entries, err := a.deps.Project.History(r.Context())
	return http.StatusOK, map[string]any{"entries": entries}, err
}

func (a *API) haltProject(r *http.Request) (int, any, error) {
	t, err := a.readTransition(r)
	if err != nil {
		return 0, nil, err
	}
	if a.deps.Project == nil {
		return 0, nil, errNoProject
	}
	return a.stateAfter(r, a.deps.Project.Halt(r.Context(), t.Reason))
}

func (a *API) resumeProject(r *http.Request) (int, any, error) {
	if _, err := a.readTransition(r); err != nil {
		return 0, nil, err
	}
	if a.deps.Project == nil {
		return 0, nil, errNoProject
	}
	return a.stateAfter(r, a.deps.Project.Resume(r.Context()))
}

// stateAfter answers with the pace after a change.
func (a *API) stateAfter(r *http.Request, err error) (int, any, error) {
	var state pacing.State
	if err == nil {
		state, err = a.deps.Project.State(r.Context())
	}
	return http.StatusOK, map[string]any{"quota": operator.NewQuotaView(a.opts.ProjectID, state)}, err
}

func (a *API) listProcesses(r *http.Request) (int, any, error) {
	processes, err := a.deps.System.Processes(r.Context())
	return http.StatusOK, map[string]any{"processes": processes}, err
}
