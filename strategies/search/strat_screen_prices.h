/** What many plans share, computed once: times of parts, shapes of pipelines, places of stages. */
#ifndef STRAT_SCREEN_PRICES_H
#define STRAT_SCREEN_PRICES_H

#include "strat_fold.h"
#include "strat_schedule.h"

/** What chunks are made of: their costs are sums over these. */
typedef enum StratPart {
    STRAT_PART_LAYER,
    STRAT_PART_SPARED_LAYER, /* that keeps all although the plan recomputes */
    STRAT_PART_EMBEDDING,
    STRAT_PART_HEAD,
    STRAT_PART_RECEIVE_FORWARD,
    STRAT_PART_RECEIVE_BACKWARD,
    STRAT_PART_START, /* of a task: the host's stall */
    STRAT_PARTS
} StratPart;

/** How many of each part something has. */
typedef struct StratParts {
    int64_t count[STRAT_PARTS];
} StratParts;

enum {
    STRAT_SCREEN_PIECES = 8 /* that gradients are reduced in, as strat_compile_private.h has */
};

/** One stage of a pipeline. */
typedef struct StratStageShape {
    StratParts all;   /* its chunks together */
    StratParts first; /* its first chunk */
    int64_t pieces;   /* of that */
    StratParts piece[STRAT_SCREEN_PIECES];
} StratStageShape;

/** Times in ns and bytes of each part. */
typedef struct StratPartPrices {
    int64_t ns[STRAT_TASK_KINDS][STRAT_PARTS];
    double saved_bytes[STRAT_PARTS];
    double workspace_bytes[STRAT_PARTS];
} StratPartPrices;

typedef struct StratScreenPrices StratScreenPrices;

/** Tables for plans of @costing, which is borrowed. Free with strat_screen_prices_free(). */
StratScreenPrices *strat_screen_prices_new(const StratCosting *costing);
void strat_screen_prices_free(StratScreenPrices *prices);

/** Each is computed on first use and belongs to @prices: of the parts of a chunk on @position; of
 *  the stages; of the first rank of each stage; and parameters of each part on a rank. */
const StratPartPrices *strat_screen_parts(StratScreenPrices *prices, const StratPlan *plan,
                                          const StratPosition *position);
const StratStageShape *strat_screen_shape(StratScreenPrices *prices, const StratPlan *plan,
                                          const StratSchedule *schedule);
const StratPosition *strat_screen_places(StratScreenPrices *prices, const StratPlan *plan);
const double *strat_screen_params(StratScreenPrices *prices, const StratPlan *plan,
                                  const StratSchedule *schedule);

#endif
