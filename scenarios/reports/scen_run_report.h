/** What `orrery run` says, as text for a person and as JSON for a program: the same figures. */
#ifndef SCEN_RUN_REPORT_H
#define SCEN_RUN_REPORT_H

#include "kern_table.h"
#include "scen_scenario.h"
#include "scen_training_run.h"
#include "strat_campaign.h"
#include "strat_jobs.h"
#include "strat_replay_study.h"
#include "strat_saves.h"
#include "strat_waits.h"

#include <json-glib/json-glib.h>

/** One run. Everything is borrowed. */
typedef struct ScenRunReport {
    const ScenScenario *scenario;
    const StratTrainResult *result;
    const StratInterval *interval;       /* of the step time */
    const char *no_fit;                  /* why the plan does not fit; NULL when it does */
    const GPtrArray *notes;              /* of texts: what was assumed, what to beware of */
    const GArray *knobs;                 /* of ScenKnobGain, best first; NULL: not asked */
    const KernTally *tally;              /* of the measured table; NULL: not counted */
    const StratCampaignResult *campaign; /* months of it; NULL: the scenario has none */
    const GPtrArray
        *campaigns; /* of StratCampaignResult: with each of campaign.recoveries, or NULL */
    const StratTrainResult *healthy;     /* the step without the scenario's faults; NULL: none */
    const StratWait *waits;              /* by role, with @healthy */
    const StratSaves *saves;             /* of its checkpoints; NULL: no campaign or no storage */
    const StratJobs *jobs;               /* together; NULL when there is one, or they do not meet */
    const StratReplayTotals *totals;     /* of a replay; NULL: it is none */
    const ScenTrainingRun *training_run; /* NULL: the scenario has no target */
    const GArray *judged;                /* of ScenJudgedRow: figures of failures; NULL: none */
} ScenRunReport;

/** What a reader of @scenario's figures must know, a text each. The caller owns the array. */
GPtrArray *scen_run_notes(const ScenScenario *scenario);

/** Adds how often the measured table of the scenario answered, a text an operation; nothing when it
 *  has no table. */
void scen_table_notes(const ScenRunReport *report, GPtrArray *notes);

/** Adds the member "measured_table" likewise. */
void scen_table_json(JsonBuilder *json, const ScenRunReport *report);

/** What @scenario trains on what, and by which plan, a line each; the caller owns both. */
void scen_run_title(const ScenScenario *scenario, char **what, char **how);

/** One screen of text. The caller owns it. */
char *scen_run_text(const ScenRunReport *report);

/** Appends the table of memory by stage: all of them up to four, else the first, the fullest and
 *  the last. */
void scen_memory_text(GString *out, const GArray *memory);

/** Appends what the fullest stage holds over the time of the step; nothing where that is flat. */
void scen_memory_time_text(GString *out, const StratTrainResult *result);

/** What the fullest stage holds over the step (of StratMoment): all moments, or where those are
 *  many the fullest of each of 256 equal spans and the last one. The caller frees. */
GArray *scen_memory_moments(const StratTrainResult *result);

/** Adds the member "memory_timeline": the same as an array of moments. */
void scen_memory_time_json(JsonBuilder *json, const StratTrainResult *result);

/** How much longer the step takes than without the faults, over that one; there are some. */
double scen_faults_slowdown(const ScenRunReport *report);

/** Appends what the faults cost, or who waits; nothing when there are none. */
void scen_faults_text(GString *out, const ScenRunReport *report);
void scen_waits_text(GString *out, const ScenRunReport *report);

/** Adds the member "faults" likewise. */
void scen_faults_json(JsonBuilder *json, const ScenRunReport *report);

/** Appends how replicas agree where that is not within the step: servers, islands. */
void scen_data_text(GString *out, const ScenRunReport *report);

/** Adds the members "parameter_servers" and "islands" likewise. */
void scen_data_json(JsonBuilder *json, const ScenRunReport *report);

/** Appends what each size of batch would take to the target; nothing without one. */
void scen_training_run_text(GString *out, const ScenRunReport *report);

/** Adds the member "training_run" likewise. */
void scen_training_run_json(JsonBuilder *json, const ScenRunReport *report);

/** Appends the table of jobs that ran together. */
void scen_jobs_text(GString *out, const StratJobs *jobs);

/** Appends the months of @report, which has a campaign. */
void scen_campaign_text(GString *out, const ScenRunReport *report);

/** Adds the members "campaign" and "cost" of @report; nothing when it has no campaign. */
void scen_campaign_json(JsonBuilder *json, const ScenRunReport *report);

/** Appends what a checkpoint and a restart of @report, which has saves, are made of. */
void scen_saves_text(GString *out, const ScenRunReport *report);

/** Adds the member "storage" likewise. */
void scen_saves_json(JsonBuilder *json, const ScenRunReport *report);

/** Appends a line for each of @results, those of campaign.recoveries; nothing when there are none.
 */
void scen_recoveries_text(GString *out, const ScenScenario *scenario, const GPtrArray *results);

/** Adds the member "recoveries" likewise. */
void scen_recoveries_json(JsonBuilder *json, const ScenScenario *scenario,
                          const GPtrArray *results);

/** The report of a scenario that has no step to simulate (a campaign with its step given, or a
 *  replay), whose result is NULL: text, and JSON (schema 1). The caller owns it. */
char *scen_alone_text(const ScenRunReport *report);
char *scen_alone_json(const ScenRunReport *report);

/** The result as JSON (schema 1). The caller owns it. */
char *scen_run_json(const ScenRunReport *report);

#endif
