/** Which operations of a trace a what-if makes ideal. */
#ifndef STRAT_REPLAY_WHATIF_H
#define STRAT_REPLAY_WHATIF_H

#include "strat_replay.h"

/** Any value of a field of a pick. */
enum { STRAT_REPLAY_ANY = -1 };

typedef enum StratReplayFamily {
    STRAT_REPLAY_FAMILY_ANY,
    STRAT_REPLAY_FAMILY_COMPUTE,
    STRAT_REPLAY_FAMILY_COMMUNICATION,
} StratReplayFamily;

/** Operations alike in some respects: those that meet all fields. */
typedef struct StratReplayPick {
    int32_t dp, pp; /* or STRAT_REPLAY_ANY */
    int32_t kind;   /* StratReplayKind, or STRAT_REPLAY_ANY */
    StratReplayFamily family;
} StratReplayPick;

/** Every operation. */
#define STRAT_REPLAY_PICK_ALL                                                                      \
    ((StratReplayPick){.dp = STRAT_REPLAY_ANY, .pp = STRAT_REPLAY_ANY, .kind = STRAT_REPLAY_ANY})

/** Fills @work_ns (one an operation): those of any of the @count @picks take the ideal time of
 * their kind and the rest what they took; with @others it is the rest that is ideal. */
void strat_replay_idealise(const StratReplay *replay, const StratReplayPick *picks, size_t count,
                           bool others, SimTime *work_ns);

/** Changes @work_ns: the forward and backward passes of a microbatch take each stage of their
 *  pipeline the same time, the mean over its stages. No work is added or taken away. */
void strat_replay_balance(const StratReplay *replay, SimTime *work_ns);

#endif
