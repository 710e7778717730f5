/* The host's time for a layer of experts.
 *
 * Eager PyTorch launches each kernel from Python or the autograd engine. A layer of experts has
 * some hundreds of small ones, and its grouped products are one call an expert with its casts, so
 * that its host needs, forward and backward,
 *
 *   H = layer + e * expert [+ overlap]       e: experts of the rank
 *
 * and tokens without a fixed capacity make it wait for the counts of each layer, so that it cannot
 * run ahead over more than about one layer. A layer takes max(H, G), of G what the GPU takes,
 * exchange included. A third of H is the forward's, as of the kernels. Where a CUDA graph holds the
 * whole step all three are 0.
 *
 * Sources: Megatron Core MoE (arXiv 2603.07685, the compute wall: many launches, host-bound);
 * Transformer Engine, module/grouped_linear.py (a call and a quantiser an expert); Megatron-Core,
 * models/common/model_chunk_schedule_plan.py (what overlap.expert cuts a layer into). The figures
 * are fitted: strategies/catalog/plans.yaml says on which rows.
 *
 * Left out: processors differ, graphs of parts of a layer, dense layers between them. */
#include "strat_expert_software.h"

/* Of the launches of a layer. */
static const double FORWARD_SHARE = 1.0 / 3.0;

double strat_expert_host_s(const StratExpertSoftware *software, double local, bool overlaps,
                           bool backward)
{
    double both = software->host_layer_s + local * software->host_expert_s +
                  (overlaps ? software->host_overlap_s : 0.0);
    return both * (backward ? 1.0 - FORWARD_SHARE : FORWARD_SHARE);
}
