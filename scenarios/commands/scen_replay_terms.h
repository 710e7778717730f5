/** The what-ifs of `orrery replay`, in words. */
#ifndef SCEN_REPLAY_TERMS_H
#define SCEN_REPLAY_TERMS_H

#include "strat_replay_study.h"

/** A what-if read from the command line. */
typedef struct ScenReplayTerms {
    GArray *picks; /* of StratReplayPick */
    bool balance;
} ScenReplayTerms;

/** Reads terms with commas between them, of the job of @replay: all, compute, communication,
 *  last-stage, balance, worker=DP/PP, dp=N, stage=N, op=NAME. Fails (SCEN_ERROR_WRONG) on any other
 *  and on workers that the job has not. Clear with scen_replay_terms_clear(). */
bool scen_replay_terms_read(const char *text, const StratReplay *replay, ScenReplayTerms *terms,
                            GError **error);
void scen_replay_terms_clear(ScenReplayTerms *terms);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ScenReplayTerms, scen_replay_terms_clear)

#endif
