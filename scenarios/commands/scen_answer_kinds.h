/** The kinds of answers: each fills @answer as @wants says, and what else it writes to the folder
 *  wants->out, which exists. Where HTML is wanted it sets answer->page, to which scen_answer_new()
 *  adds the text and the scenario. False and @error as scen_answer_new(). */
#ifndef SCEN_ANSWER_KINDS_H
#define SCEN_ANSWER_KINDS_H

#include "scen_answer.h"

typedef bool (*ScenAnswerFunc)(const ScenScenario *scenario, const ScenAnswerWants *wants,
                               ScenAnswer *answer, GError **error);

/** A training step, with its months where it has any. Writes trace.json and incidents. */
bool scen_answer_step(const ScenScenario *scenario, const ScenAnswerWants *wants,
                      ScenAnswer *answer, GError **error);

/** Months of a step that is given, or a replay. Writes incidents. */
bool scen_answer_alone(const ScenScenario *scenario, const ScenAnswerWants *wants,
                       ScenAnswer *answer, GError **error);

/** Serving. Writes requests.csv, timeseries.csv, curves.svg and outages.csv. */
bool scen_answer_serve(const ScenScenario *scenario, const ScenAnswerWants *wants,
                       ScenAnswer *answer, GError **error);

/** A queue of jobs. Writes jobs.csv, the jobs of the first history as they leave. */
bool scen_answer_queue(const ScenScenario *scenario, const ScenAnswerWants *wants,
                       ScenAnswer *answer, GError **error);

/** An execution trace. Writes trace.json and ranks.csv. */
bool scen_answer_et(const ScenScenario *scenario, const ScenAnswerWants *wants, ScenAnswer *answer,
                    GError **error);

/** Refuses a timeline of a scenario that has none, if @wants one. */
bool scen_answer_no_trace(const ScenAnswerWants *wants, const char *why, GError **error);

/** Writes @text to the file @name of the folder that @wants, if it wants one. */
bool scen_answer_write(const ScenAnswerWants *wants, const char *name, const char *text,
                       GError **error);

#endif
