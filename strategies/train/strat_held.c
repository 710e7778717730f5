/* What a stage holds of weights and gradients beside their states: units of a sharded model that
 * are whole for a while, and stand-ins.
 *
 *   units      under ZeRO-3 the weights of a unit are gathered when it runs, those of some after it
 *              ahead. A unit is a layer, the embedding or the head; FSDP leaves the last two, which
 *              the root module has, gathered through the step (Zhao 2023, section 3.2.1;
 *              fully_shard does not reshard the root after its forward). DeepSpeed's is a module: a
 *              matrix.
 *   stand-ins  weights whose gradient is added straight to its accumulator still give autograd a
 *              tensor of their type and shape, one for all weights of that shape (Transformer
 *              Engine 2.x, pytorch/module/base.py, get_dummy_wgrad) */
#include "strat_held.h"

#include "strat_expert.h"
#include "strat_footprint.h"
#include "strat_layout.h"

static void add_units(const StratCosting *costing, const StratModelChunk *chunk,
                      StratHeldUnits *out)
{
    const StratPlan *plan = costing->plan;
    int64_t at_once = 1 + (plan->overlap_data ? plan->prefetch : 0);
    int64_t units = strat_chunk_unit_count(chunk);
    g_autofree StratModelChunk *unit = g_new(StratModelChunk, units);
    g_autofree double *params = g_new0(double, units);
    strat_chunk_units(plan, chunk, unit);
    double window = 0.0;
    for (int64_t i = 0; i < units; i++) {
        double held = strat_chunk_params(costing->model, plan, &unit[i]);
        bool in_root = plan->footprint.root_unit && (unit[i].embedding || unit[i].head);
        out->root += in_root ? held : 0.0;
        params[i] = in_root ? 0.0 : held;
        window += params[i] - (i >= at_once ? params[i - at_once] : 0.0);
        out->largest = MAX(out->largest, held);
        out->most = MAX(out->most, window);
    }
}

/* The same where a unit is the largest matrix of a layer, or the vocabulary's. */
static void add_matrices(const StratCosting *costing, const StratModelChunk *chunk,
                         StratHeldUnits *out)
{
    ModelOps ops;
    strat_layer_ops(costing, chunk, 0, &ops);
    for (size_t i = 0; i < ops.count; i++)
        if (ops.op[i].kind == MODEL_OP_GEMM)
            out->largest = MAX(out->largest, (double)ops.op[i].n * (double)ops.op[i].k);
    if (chunk->embedding || chunk->head)
        out->largest =
            MAX(out->largest, model_vocab_shard_params(costing->model, costing->plan->tensor));
    out->most = out->largest + strat_footprint_prefetched();
}

/* A schedule that runs all microbatches of a chunk before the next keeps the chunk gathered, and units
 * of the next ahead. */
static void widen_to_chunks(const StratCosting *costing, int64_t stage, StratHeldUnits *units)
{
    const StratPlan *plan = costing->plan;
    double whole = 0.0, ahead = plan->overlap_data ? (double)plan->prefetch : 0.0;
    if (!strat_plan_schedule(plan)->keeps_chunks)
        return;
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        whole = MAX(whole, strat_chunk_params(costing->model, plan, &chunk));
    }
    units->most = whole + ahead * units->largest;
    units->largest = whole;
}

StratHeldUnits strat_held_units(const StratCosting *costing, int64_t stage)
{
    const StratPlan *plan = costing->plan;
    StratHeldUnits units = {0};
    for (int64_t k = 0; plan->zero_stage > 1 && k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        if (plan->zero_stage == 3 && plan->footprint.matrix_units)
            add_matrices(costing, &chunk, &units);
        else
            add_units(costing, &chunk, &units);
    }
    if (plan->zero_stage > 1)
        widen_to_chunks(costing, stage, &units);
    return units;
}

/* Adds to @seen each shape of weight of @chunk that is not there yet; returns their elements. */
static double new_shapes(const StratCosting *costing, const StratModelChunk *chunk, GArray *seen)
{
    double elements = 0.0;
    ModelOps ops;
    for (int64_t layer = 0; layer < chunk->layers; layer += strat_layer_run(chunk, layer)) {
        strat_layer_ops(costing, chunk, layer, &ops);
        for (size_t i = 0; i < ops.count; i++) {
            double shape[2] = {(double)ops.op[i].n, (double)ops.op[i].k};
            bool known = ops.op[i].kind != MODEL_OP_GEMM;
            for (guint j = 0; j < seen->len && !known; j += 2)
                known = g_array_index(seen, double, j) == shape[0] &&
                        g_array_index(seen, double, j + 1) == shape[1];
            if (known)
                continue;
            elements += shape[0] * shape[1];
            g_array_append_vals(seen, shape, 2);
        }
    }
    return elements;
}

double strat_held_stand_in_bytes(const StratCosting *costing, int64_t stage)
{
    const StratPlan *plan = costing->plan;
    double elements = 0.0;
    g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(double));
    for (int64_t k = 0; plan->footprint.gradient_stand_ins && k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        elements += new_shapes(costing, &chunk, seen);
    }
    return 2.0 * elements;
}
