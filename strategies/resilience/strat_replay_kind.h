/** The kinds of operation that a training job's trace holds. */
#ifndef STRAT_REPLAY_KIND_H
#define STRAT_REPLAY_KIND_H

#include <stdbool.h>
#include <stddef.h>

typedef enum StratReplayKind {
    STRAT_REPLAY_FORWARD,
    STRAT_REPLAY_BACKWARD,
    STRAT_REPLAY_FORWARD_SEND,
    STRAT_REPLAY_FORWARD_RECV,
    STRAT_REPLAY_BACKWARD_SEND,
    STRAT_REPLAY_BACKWARD_RECV,
    STRAT_REPLAY_PARAMS_GATHER,
    STRAT_REPLAY_GRADS_SCATTER,
    STRAT_REPLAY_NORM_GRADS,
    STRAT_REPLAY_EMBEDDING_GRADS,
    STRAT_REPLAY_CLIP,
    STRAT_REPLAY_OPTIMIZER,
    STRAT_REPLAY_GC,
    STRAT_REPLAY_KINDS,
} StratReplayKind;

/** Who must have come before an operation moves: its group. */
typedef enum StratReplayScope {
    STRAT_REPLAY_ALONE, /* nobody */
    STRAT_REPLAY_PEER,  /* the neighbour stage's half of a send and a recv */
    STRAT_REPLAY_ENDS,  /* first and last stage of one pipeline */
    STRAT_REPLAY_STAGE, /* every replica's worker of one stage */
    STRAT_REPLAY_JOB,   /* every worker */
} StratReplayScope;

typedef struct StratReplayKindRow {
    const char *name;  /* as the trace spells it */
    const char *cause; /* what a report counts it under: both halves of a transfer are one */
    StratReplayScope scope;
    int stream;         /* of the worker: operations of one stream run one after another */
    bool communication; /* idealised by the median, not by the mean */
} StratReplayKindRow;

enum { STRAT_REPLAY_STREAMS = 6 };

/** The row of @kind, static. */
const StratReplayKindRow *strat_replay_kind(StratReplayKind kind);

/** The kind called @name into @kind; false when there is none. */
bool strat_replay_kind_by_name(const char *name, StratReplayKind *kind);

#endif
