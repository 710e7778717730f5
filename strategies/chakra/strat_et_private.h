/** The steps of a replay; nobody outside strategies/chakra includes this.
 *
 *  Nodes of all ranks are numbered through as operations: node i of rank r is base[r] + i. */
#ifndef STRAT_ET_PRIVATE_H
#define STRAT_ET_PRIVATE_H

#include "strat_et_replay.h"
#include "topo_lay.h"

/** Nodes that meet: one of each member of a collective, or a send (first) and its receive. */
typedef struct StratEtMeeting {
    uint32_t first, count; /* in the members */
    uint32_t group;        /* of a collective; STRAT_ET_NONE: a send */
    uint32_t transfer;
    uint64_t bytes; /* the largest that a member gives */
    SimTime alone;  /* what the transfer takes when there is no other */
} StratEtMeeting;

/** A replay on its way. */
typedef struct StratEtWork {
    StratEt *et;
    const StratEtPlan *plan;
    const StratCosting *costing;
    uint32_t ops;
    uint32_t *base;       /* of each rank, one more at the end */
    uint32_t *rank_of;    /* of each operation */
    uint32_t *stream;     /* of each operation, in its rank; numbers from STRAT_ET_STREAMS on */
    uint32_t *before;     /* the operation before it in its stream of communication, or NONE */
    uint32_t *meeting_of; /* of each operation, or NONE */
    SimTime *duration;    /* of each operation that meets nobody */
    GArray *meetings;     /* of StratEtMeeting */
    GArray *members;      /* of uint32_t: operations */
    GPtrArray **streams;  /* of each rank: names of its streams of communication */
    GArray *transfers;    /* of TopoTransfer */
    GArray *groups;       /* of TopoRanks: one a transfer */
    GArray *group_ends;   /* of uint32_t */
    GArray *gpus;         /* of int64_t: of all groups, one group after the other */
    uint32_t *sequence;   /* operations as they start when transfers do not disturb each other */
} StratEtWork;

/** Streams that every rank has: in these nodes start as they are ready, in order of ids. */
enum { STRAT_ET_STREAM_COMPUTE, STRAT_ET_STREAM_HOST, STRAT_ET_STREAM_MEMORY, STRAT_ET_STREAMS };

/** The node of operation @op. */
static inline const StratEtNode *strat_et_op_node(const StratEtWork *work, uint32_t op)
{
    uint32_t rank = work->rank_of[op];
    return strat_et_node(g_ptr_array_index(work->et->ranks, rank), op - work->base[rank]);
}

/** strat_et_describe() of operation @op. */
char *strat_et_op_describe(const StratEtWork *work, uint32_t op);

/** Finds who meets whom, and the streams of communication. False and @error on collectives whose
 *  members disagree, sends without a receive. (strat_et_match.c) */
bool strat_et_match(StratEtWork *work, GError **error);

/** Prices all operations and transfers. (strat_et_price.c) */
bool strat_et_price(StratEtWork *work, StratEtResult *result, GError **error);

/** Finds the sequence. False and @error when ranks wait for each other. (strat_et_dispatch.c) */
bool strat_et_dispatch(StratEtWork *work, GError **error);

/** The program whose operation i is sequence[i], sealed. (strat_et_program.c) */
SimProgram *strat_et_program(const StratEtWork *work, GError **error);

/** Fills in where time went in @result, whose program has run. (strat_et_account.c) */
void strat_et_account(const StratEtWork *work, StratEtResult *result);

#endif
