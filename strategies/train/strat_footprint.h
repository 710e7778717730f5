/** What a software holds on a GPU beside the states and what its forwards keep. */
#ifndef STRAT_FOOTPRINT_H
#define STRAT_FOOTPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How the loss is computed from 16-bit logits. */
typedef enum StratLossKind {
    STRAT_LOSS_IN_PLACE, /* one fp32 copy that becomes softmax and gradient */
    STRAT_LOSS_TORCH, /* torch.nn.functional.cross_entropy of fp32 logits, operation by operation */
    STRAT_LOSS_TORCH_16, /* the same of 16-bit logits */
    STRAT_LOSS_FUSED,    /* one kernel that overwrites the 16-bit logits */
    STRAT_LOSSES,
} StratLossKind;

/** Bytes of one logit on a rank. */
typedef struct StratLoss {
    const char *name, *source;
    double kept_bytes;         /* from its forward to its backward */
    double peak_bytes;         /* the most at once, what is kept included */
    double peak_sharded_bytes; /* likewise, where the tensor group cuts the vocabulary */
} StratLoss;

/** Zeroed: Megatron-LM's loss and an fp32 master; nothing besides. */
typedef struct StratFootprint {
    StratLossKind loss;
    bool gradient_stand_ins; /* a 16-bit tensor for each shape of weight whose gradient is added in
                                place elsewhere */
    bool root_unit;          /* stage 3: embedding and head stay gathered through the step */
    bool matrix_units;    /* stage 3: gathered matrix by matrix, with buckets of so many elements */
    bool gathered_inputs; /* sequence parallelism: inputs of products are kept gathered */
    int64_t master_bytes; /* of a master weight, beside 16-bit ones: 4; 2: what they lack; 0: 4 */
} StratFootprint;

const StratLoss *strat_footprint_loss(const StratFootprint *footprint);

/** Elements that stage 3 gathers ahead, and reduces at once, where units are matrices. */
double strat_footprint_prefetched(void);
double strat_footprint_bucket(void);

#endif
