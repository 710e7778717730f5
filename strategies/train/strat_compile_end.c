/* What ends the step of a class: gradients that nothing hid are reduced, those that are on their way
 * are waited for, a tied embedding adds up, and the optimizer updates what this rank holds of the
 * parameters. Where whole tensors have owners, these then broadcast them. */
#include "strat_compile_private.h"

#include "strat_agree.h"

double strat_compile_updated(const StratCompiler *c, const StratClassCode *code)
{
    double updated = 0.0;
    for (int k = 0; k < STRAT_PARAMS_KINDS; k++) {
        double held = strat_compile_trained(c, code, k);
        double shards = (double)(code->replicas[k].ranks * code->mirror.ranks);
        updated += c->plan->zero_stage > 0 ? held / shards : held;
    }
    return updated;
}

/* A tied embedding on both ends of a pipeline has two gradients to add. */
static void add_tied_reduce(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    bool end = code->stage == 0 || code->stage == plan->pipeline - 1;
    if (!c->costing->model->tied_embeddings || strat_ends_meet(plan) || !end ||
        c->costing->model->vocab == 0 || plan->profiled.forward_s > 0.0 || plan->adapters.rank > 0)
        return;
    TopoTransfer transfer = {.op = TOPO_OP_ALL_REDUCE,
                             .ranks = 2,
                             .ranks_per_domain = code->position.ends_per_domain,
                             .nic_fraction =
                                 strat_compile_priced(c, code->position.ends_nic_fraction),
                             .kind = code->position.ends_kind,
                             .bytes = strat_tensor_vocab_params(c->costing->model, plan) *
                                      topo_dtype_bytes(plan->gradients)};
    StratOwner owner = {class, code->ends_family, STRAT_ROLE_ENDS};
    strat_compile_collective(c, &owner, SIM_STREAM_MAIN, code->ends_nth++, &transfer,
                             "reduce tied embedding");
}

/* Tensors of a stage: two of attention, two or three of an MLP and two norms a layer; embedding,
 * final norm and head. */
static int64_t tensor_count(const StratCompiler *c, const StratClassCode *code)
{
    int64_t layers = 0;
    for (int64_t k = 0; k < c->pipeline.chunks; k++)
        layers += code->chunks[k].chunk.layers;
    return layers * (c->costing->model->gated_mlp ? 7 : 6) + 3;
}

/* Owners broadcast their tensors one after the other: each reaches the last rank a hop a rank after
 * the first. */
static bool add_hops(StratCompiler *c, uint32_t class, GError **error)
{
    StratClassCode *code = &c->classes[class];
    int64_t ranks = code->replicas[STRAT_PARAMS_SHARED].ranks;
    int64_t owners = MIN(ranks, tensor_count(c, code));
    double seconds = (double)(owners * (ranks - 1)) * c->plan->owner_hop_s;
    return strat_compile_span(c, class, seconds, STRAT_BUCKET_DATA_COMM, "pass parameters on",
                              error);
}

static bool add_optimizer(StratCompiler *c, uint32_t class, GError **error)
{
    StratClassCode *code = &c->classes[class];
    const StratPlan *plan = c->plan;
    double params = 0.0;
    for (int k = 0; k < STRAT_PARAMS_KINDS; k++)
        params += strat_compile_trained(c, code, k);
    if (plan->optimizer == STRAT_OPTIMIZER_NONE)
        return true;
    if (!strat_compile_update(c, class, params, strat_compile_updated(c, code), error))
        return false;
    bool owned = plan->zero_stage > 0 && plan->owner_hop_s > 0.0;
    bool gathers = plan->zero_stage > 0 && !plan->overlap_data && !strat_compile_has_units(c);
    for (int k = 0; (gathers || owned) && k < STRAT_PARAMS_KINDS; k++)
        strat_compile_gather(c, class, (StratParamsKind)k, strat_compile_trained(c, code, k),
                             STRAT_NO_OP);
    return !owned || add_hops(c, class, error);
}

/* The main stream may not pass the end of the step before its own reductions are done. Where many
 * queue for one stream (buckets of a size, slow exchanges), it waits for each in turn, so that the
 * ledger knows what it waits for; else for the last. */
static void wait_for_reductions(StratCompiler *c, uint32_t class)
{
    const StratClassCode *code = &c->classes[class];
    const StratDataParallel *dp = &c->plan->data_parallel;
    bool each = strat_compile_bucket(c) > 0.0 || !strat_data_is_plain(dp);
    if (code->last_reduce == STRAT_NO_OP)
        return;
    for (guint i = each ? 0 : code->reductions->len - 1; i < code->reductions->len; i++) {
        SimOp join = {.group = SIM_GROUP_NONE,
                      .block = sim_program_add_block(c->program, NULL, 0),
                      .label = sim_program_label(c->program, "wait for gradients"),
                      .kind = SIM_OP_DELAY};
        sim_program_add_dep(c->program, strat_compile_main(c, class, join),
                            g_array_index(code->reductions, uint32_t, i));
    }
}

bool strat_compile_end(StratCompiler *c, uint32_t class, GError **error)
{
    StratClassCode *code = &c->classes[class];
    double shared = strat_compile_trained(c, code, STRAT_PARAMS_SHARED);
    bool reduced = code->last_reduce != STRAT_NO_OP;
    for (int k = 0; !reduced && k < STRAT_PARAMS_KINDS; k++) {
        double params = strat_compile_trained(c, code, k);
        if (!strat_compile_reduce(c, class, (StratParamsKind)k, params, STRAT_NO_OP, error))
            return false;
    }
    if (reduced && c->plan->overlap_data)
        wait_for_reductions(c, class);
    if (!strat_compile_restore(c, class, shared, error))
        return false;
    add_tied_reduce(c, class);
    return add_optimizer(c, class, error);
}
