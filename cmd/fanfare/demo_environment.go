package main

import "strings"

// environment are the variables with which other commands find all that the demo runs on, a line for each part.
func (d *demo) environment() []string {
	s := d.rooms.Settings
	fcm := []string{"FCM_ENDPOINT=" + s.FCM.Endpoint.String()}
	if s.FCM.ProjectID != "" {
		fcm = append(fcm, "FCM_PROJECT_ID="+s.FCM.ProjectID)
	}
	if s.FCM.CAFile != "" {
		fcm = append(fcm, "FANFARE_FCM_CA_FILE="+s.FCM.CAFile)
	}
	lines := [][]string{
		{"REDIS_URL=" + s.Redis.URL.String()},
		{"DATABASE_URL=" + s.Store.DatabaseURL.String()},
		{"FANFARE_STORE_TOKEN_QUERY=off", "FANFARE_STORE_TOKEN_CLEAR=off"},
		fcm,
		{"FANFARE_PACING_RAMP=" + s.Pacing.Ramp.String()},
	}
	if n := s.Names; d.flags.redis != "" {
		lines = append(lines, []string{
			"FANFARE_NAMES_CAMPAIGN_PREFIX=" + n.CampaignPrefix, "FANFARE_NAMES_USER_PREFIX=" + n.UserPrefix,
			"FANFARE_NAMES_PROFILE_PREFIX=" + n.ProfilePrefix, "FANFARE_NAMES_RESPONSES=" + n.Responses,
		})
	}
	joined := make([]string, len(lines))
	for i, variables := range lines {
		joined[i] = strings.Join(variables, " ")
	}
	return joined
}
