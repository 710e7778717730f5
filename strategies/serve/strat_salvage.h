/** What is left of a replica that dies, or that loses some of its ranks. */
#ifndef STRAT_SALVAGE_H
#define STRAT_SALVAGE_H

#include "strat_replica.h"

/** What it came to. */
typedef struct StratSalvage {
    StratSequenceList sequences; /* of StratReplicaEvents' owner again: in order, those that ran
                                    first */
    int64_t tokens;              /* that their caches held */
    double cut_s;                /* GPU-seconds of iterations that broke off */
} StratSalvage;

/** Ends all that @replica does at @now. Iterations that were over by then count, those under way
 *  are lost, and so is every cache; @salvage takes all its sequences, which keep the tokens that
 *  they have sampled. With @keeps those that decoded, or waited with a cache that had come, have a
 *  copy elsewhere and are remote. Caches on the way to decoding replicas are not touched: forget
 *  them first. @replica is empty after and only to be freed. */
void strat_salvage_all(StratReplica *replica, StratFine now, bool keeps, StratSalvage *salvage);

/** Takes @lost of the @ranks of attention, each with its share of the cache, from @replica at @now:
 *  its iterations break off, sequences on ranks @first .. @first + @lost - 1 and prompts of that
 *  iteration wait again, and @blocks blocks in all stay unused; returns how many more those are. Of
 *  @salvage only the sums are filled. */
int64_t strat_salvage_ranks(StratReplica *replica, StratFine now, int64_t ranks, int64_t first,
                            int64_t lost, int64_t blocks, StratSalvage *salvage);

#endif
