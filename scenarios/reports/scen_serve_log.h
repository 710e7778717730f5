/** What the replicas of a run of serving did when: a log for its timeline. */
#ifndef SCEN_SERVE_LOG_H
#define SCEN_SERVE_LOG_H

#include "strat_serve.h"

/** Iterations that ran back to back with the same sequences. */
typedef struct ScenServeSpell {
    SimTime at, end;
    int32_t replica; /* of both pools, the first one's first */
    uint32_t lane;
    int64_t iterations;
    int64_t prompts, prompt_tokens; /* chunks of prompts and their tokens */
    int64_t decodes;                /* sequences that decode */
    int64_t running, waiting;       /* of the replica, when they began */
    int64_t blocks;                 /* of its cache in use, then */
} ScenServeSpell;

/** A log; zero it but for @most, and hand out scen_serve_log_watch() of it. */
typedef struct ScenServeLog {
    guint most;        /* spells kept, the first ones */
    GArray *spells;    /* of ScenServeSpell, in order of their ends */
    GHashTable *begun; /* of each lane, the spell under way */
    int64_t left_out;  /* spells that came after */
    SimTime left_from; /* end of the last that was kept */
} ScenServeLog;

/** Who fills @log, which is borrowed. */
StratServeWatch scen_serve_log_watch(ScenServeLog *log);

void scen_serve_log_clear(ScenServeLog *log);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ScenServeLog, scen_serve_log_clear)

#endif
