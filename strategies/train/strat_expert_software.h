/** What a generation of software does with layers of experts. */
#ifndef STRAT_EXPERT_SOFTWARE_H
#define STRAT_EXPERT_SOFTWARE_H

#include <stdbool.h>

/** Zeroed: the host is never waited for, and nothing is fused. */
typedef struct StratExpertSoftware {
    bool fused;            /* grouped products, activation and casts are one kernel */
    double host_layer_s;   /* host time of a layer of experts, forward and backward */
    double host_expert_s;  /* likewise, of each of its experts on a rank */
    double host_overlap_s; /* likewise, where its exchange runs beside another microbatch */
} StratExpertSoftware;

/** Seconds of the host for the layers of experts whose forward (@backward: backward) a rank with
 *  @local experts launches; @overlaps: with overlap.expert. */
double strat_expert_host_s(const StratExpertSoftware *software, double local, bool overlaps,
                           bool backward);

#endif
