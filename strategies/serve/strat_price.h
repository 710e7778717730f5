/** What an iteration of a deployment costs: by kernel fits or an engine's own profile, and by
 *  networks. */
#ifndef STRAT_PRICE_H
#define STRAT_PRICE_H

#include "strat_batch.h"
#include "strat_deployment.h"
#include "strat_profile_price.h"
#include "topo_protocol_engine.h"
#include "topo_protocol_expert.h"

#include <glib.h>

/** Everything a price depends on; borrowed for as long as the pricer lives. */
typedef struct StratPriceSpec {
    const ModelSpec *model;
    const TopoCluster *cluster;
    /* clock_fraction 1 unless the GPU is held below its boost clock: the kernels of serving were
     * measured at boost, and decoding, which waits for memory, stays far below the power limit
     * (Patel 2024, POLCA: the token phase draws well under the peak of the prompt phase). */
    KernDevice device;
    /* Clock of iterations with prompts, 0: the same. They draw the whole power limit (same place;
     * MLPerf runs of training do too): the profile's sustained_clock_fraction. */
    double prompt_clock_fraction;
    const StratDeployment *deployment;
    size_t pool;                         /* of the deployment's */
    const TopoEngineFit *reduce;         /* the engine's own all-reduces; NULL: the library's */
    const TopoExpertFit *expert_prompts; /* dispatch and combine of iterations with prompts; NULL:
                                            the library's */
    const TopoExpertFit *expert_decodes; /* likewise of decodes alone */
    KernMoeFamily expert_family;         /* of kernels; another where the profile has none */
    const StratProfile *profile;         /* the engine's own kernels, measured with the pool's
                                            tensor ranks; NULL: the device's fits */
} StratPriceSpec;

/** A pricer of @spec's pool, for one thread: it keeps what it computed by the number of tokens.
 *  Free with strat_pricer_free(). NULL and @error: sizes that do not divide each other, or a pool
 *  that the deployment does not have. */
StratPricer *strat_price_new(const StratPriceSpec *spec, GError **error);

#endif
