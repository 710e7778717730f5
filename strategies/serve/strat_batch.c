/* Names of the parts of an iteration, in the order of StratServePart. */
#include "strat_batch.h"

#include <glib.h>

const char *strat_serve_part_name(StratServePart part)
{
    static const char *const names[] = {
        [STRAT_SERVE_LINEAR] = "linear",
        [STRAT_SERVE_PREFILL] = "prefill_attention",
        [STRAT_SERVE_DECODE] = "decode_attention",
        [STRAT_SERVE_EXPERTS] = "experts",
        [STRAT_SERVE_PASSES] = "passes",
        [STRAT_SERVE_HEAD] = "head",
        [STRAT_SERVE_TENSOR] = "tensor_comm",
        [STRAT_SERVE_ALL_TO_ALL] = "expert_comm",
        [STRAT_SERVE_PIPELINE] = "pipeline",
        [STRAT_SERVE_DRAFT] = "draft",
        [STRAT_SERVE_HOST] = "host",
        [STRAT_SERVE_OFFLOAD] = "offload",
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(names) == STRAT_SERVE_PARTS);
    return names[part];
}

void strat_pricer_free(StratPricer *pricer)
{
    if (pricer)
        pricer->free(pricer);
}
