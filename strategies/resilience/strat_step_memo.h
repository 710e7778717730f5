/** Steps of a job in many states, each simulated once. */
#ifndef STRAT_STEP_MEMO_H
#define STRAT_STEP_MEMO_H

#include "strat_alike.h"

typedef struct StratStepMemo StratStepMemo;

/** What a memo has done. */
typedef struct StratStepCounts {
    int64_t asked;     /* states that were not as planned */
    int64_t simulated; /* steps that had to be */
    int64_t bounded;   /* of the asked, those answered by an upper bound: see strat_alike_parts() */
} StratStepCounts;

/** A memo of @step, asked with @ctx; one thread at a time asks it. States that are alike by @alike
 *  (NULL: only equal ones) share one answer. All is borrowed. Free with strat_step_memo_free(). */
StratStepMemo *strat_step_memo_new(StratStepFunc *step, void *ctx, const StratAlike *alike);
void strat_step_memo_free(StratStepMemo *memo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratStepMemo, strat_step_memo_free)

/** A StratStepFunc, whose ctx is a StratStepMemo. Threads may ask at the same time; which one comes
 *  first changes no answer and no count. */
double strat_step_memo_step(const StratJobState *state, void *memo);

StratStepCounts strat_step_memo_counts(StratStepMemo *memo);

/** What one task asks of a memo: the same answers, but counted apart, so that a task that another
 *  process does is counted as if it had been done here. One thread. */
typedef struct StratStepView StratStepView;

/** A view of @memo, borrowed. Free with strat_step_view_free(). */
StratStepView *strat_step_view_new(StratStepMemo *memo);
void strat_step_view_free(StratStepView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratStepView, strat_step_view_free)

/** A StratStepFunc, whose ctx is a StratStepView. */
double strat_step_view_step(const StratJobState *state, void *view);

/** Appends to @out what @view has asked, for strat_step_memo_take(). */
void strat_step_view_write(const StratStepView *view, GByteArray *out);

/** Counts in @memo what a view of it, or of an equal memo of another process, wrote at the end of
 *  @data, @size bytes; steps that are not known here are known from then on. */
void strat_step_memo_take(StratStepMemo *memo, const guint8 *data, size_t size);

#endif
