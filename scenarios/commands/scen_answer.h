/** From a loaded scenario to its answer, whatever it asks: what `orrery run`, sweeps and the library
 *  share. */
#ifndef SCEN_ANSWER_H
#define SCEN_ANSWER_H

#include "scen_page.h"
#include "scen_scenario.h"

/** What a caller wants. All zero: only whether it holds. */
typedef struct ScenAnswerWants {
    const char *const *overrides; /* with which the scenario was loaded; NULL: none */
    bool text;          /* for a person; asks which knobs would help, where that is cheap */
    bool json;          /* for a program */
    bool html;          /* for a browser; asks for the text as well */
    const char *out;    /* a folder that takes all three and the tables; NULL: none */
    const char *report; /* a file that takes the HTML; NULL: none */
    const char *trace;  /* a file that takes the timeline; NULL: none */
} ScenAnswerWants;

/** An answer. What was not wanted is NULL. */
typedef struct ScenAnswer {
    char *text;
    char *json;
    char *html;
    ScenPage *page; /* what html is made of; of nobody else's concern */
    bool holds;     /* it fits in memory and keeps its objectives */
} ScenAnswer;

/** Forgets what @scenario says was published if any of @sets, the overrides that a person gave
 *  (NULL: none), makes it another scenario than the one it was published of. */
void scen_answer_changed(ScenScenario *scenario, const char *const *sets);

/** Simulates @scenario and reports. NULL and @error when something of it is not modelled, when a
 *  file that it names cannot be read, or one of @wants not written. Free with scen_answer_free(). */
ScenAnswer *scen_answer_new(const ScenScenario *scenario, const ScenAnswerWants *wants,
                            GError **error);
void scen_answer_free(ScenAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenAnswer, scen_answer_free)

#endif
