/** The transfers of a program: what each number means, and which ranks it stands for. */
#ifndef STRAT_TRANSFERS_H
#define STRAT_TRANSFERS_H

#include "strat_rendezvous.h"
#include "topo_traffic.h"

/** What ranks of a class run a transfer for. */
typedef enum StratTransferRole {
    STRAT_ROLE_DATA,        /* the shard group reduces gradients or gathers parameters */
    STRAT_ROLE_COPIES,      /* ranks with the same shard of several copies add their gradients */
    STRAT_ROLE_EXPERT_DATA, /* ranks with the same experts do as the shard group, of these */
    STRAT_ROLE_MIRROR,      /* the ranks with the same chunks of both copies add gradients */
    STRAT_ROLE_ENDS,        /* first and last stage add their tied embeddings' gradients */
    STRAT_ROLE_HOST,        /* a copy between a rank and its host */
    STRAT_ROLE_NEXT,        /* an activation to the next stage */
    STRAT_ROLE_PREVIOUS,    /* a gradient to the one before */
    STRAT_ROLE_TENSOR,      /* all tensor groups of a gang, beside its blocks */
    STRAT_ROLE_CONTEXT,     /* all its context groups, likewise */
    STRAT_ROLE_EXPERT,      /* all its expert groups, likewise */
} StratTransferRole;

/** Who runs a transfer: the ranks of one class, or those of a family of classes together. */
typedef struct StratOwner {
    uint32_t rank_class;
    StratFamily family;
    StratTransferRole role;
} StratOwner;

/** All transfers of a program. */
typedef struct StratTransfers {
    const StratPlan *plan; /* borrowed, of the job at hand */
    const StratFold *fold; /* likewise */
    int64_t first_rank;    /* of the job, among those of all jobs */
    bool by_owner;         /* equal transfers of different owners are told apart */
    GArray *transfers;     /* of TopoTransfer */
    GArray *groups;        /* of TopoRanks, transfer by transfer; empty unless by_owner */
    GArray *group_ends;    /* of uint32_t: where each transfer's groups end */
    GHashTable *numbers;
} StratTransfers;

/** An empty list for the ranks of @fold. Free with strat_transfers_free(). */
StratTransfers *strat_transfers_new(const StratPlan *plan, const StratFold *fold, bool by_owner);

/** From here on transfers are those of another job, whose ranks are numbered from @first_rank. */
void strat_transfers_next_job(StratTransfers *transfers, const StratPlan *plan,
                              const StratFold *fold, int64_t first_rank);

void strat_transfers_free(StratTransfers *transfers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratTransfers, strat_transfers_free)

/** The number of @transfer, run by @owner; made on first use. */
uint32_t strat_transfers_number(StratTransfers *transfers, const TopoTransfer *transfer,
                                const StratOwner *owner);

#endif
