/* Traffic between a rank and its host, and the host's update.
 *
 * Gradients that are final go down behind their reduction, on a stream of their own while the
 * backward runs (ZeRO-Offload, section 4.1); with zero_stage 2 and 3 those of every microbatch do.
 * When the last are down the host updates and the new weights come up (strat_stores.c): the GPU
 * waits, unless the update is delayed by a step (section 5.2), which then runs beside this step and
 * ends with it. Weights kept on the host or on disk come up unit by unit before they are gathered,
 * each rank its shard (ZeRO-Infinity, section 6.1), as far ahead as gathers are.
 *
 * Copies are transfers of known length on the rank's own link: they meet no other traffic. */
#include "strat_compile_private.h"

#include "strat_stores.h"

static uint32_t add_copy(StratCompiler *c, uint32_t class, uint16_t stream, double seconds,
                         const char *label)
{
    TopoTransfer copy = {
        .op = TOPO_OP_SEND, .ranks = 2, .ranks_per_domain = 2, .measured_s = seconds};
    StratOwner owner = {class, SIM_GROUP_NONE, STRAT_ROLE_HOST};
    SimOp op = {.rank_class = c->first_class + class,
                .group = SIM_GROUP_NONE,
                .transfer = strat_transfers_number(c->transfers, &copy, &owner),
                .stream = stream,
                .bucket = STRAT_BUCKET_OFFLOAD,
                .label = sim_program_label(c->program, label),
                .kind = SIM_OP_COPY};
    if (stream == SIM_STREAM_MAIN)
        return strat_compile_main(c, class, op);
    return sim_program_add_op(c->program, &op);
}

void strat_compile_open_host(StratCompiler *c, uint32_t class)
{
    StratClassCode *code = &c->classes[class];
    const StratStores *offload = &c->plan->offload;
    uint32_t id = c->first_class + class;
    code->last_update = STRAT_NO_OP;
    if (c->plan->overlap_data && offload->optimizer != STRAT_STORE_DEVICE)
        code->stream_down = sim_program_add_stream(c->program, id, "to the host");
    if (c->plan->overlap_data && offload->parameters != STRAT_STORE_DEVICE)
        code->stream_up = sim_program_add_stream(c->program, id, "from the host");
    if (offload->delayed_update)
        code->stream_update = sim_program_add_stream(c->program, id, "host's update");
}

uint32_t strat_compile_fetch(StratCompiler *c, uint32_t class, double bytes, uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    StratStore store = c->plan->offload.parameters;
    if (store == STRAT_STORE_DEVICE || !strat_compile_has_units(c))
        return STRAT_NO_OP;
    double seconds = strat_stores_move_s(c->costing->cluster, store, bytes, true);
    uint32_t id = add_copy(c, class, code->stream_up, seconds, "fetch parameters");
    if (code->stream_up != SIM_STREAM_MAIN && after != STRAT_NO_OP)
        strat_compile_after(c, class, id, after);
    return id;
}

uint32_t strat_compile_down(StratCompiler *c, uint32_t class, double bytes, uint32_t after)
{
    StratClassCode *code = &c->classes[class];
    StratStore store = c->plan->offload.optimizer;
    if (store == STRAT_STORE_DEVICE)
        return after;
    double seconds = strat_stores_move_s(c->costing->cluster, store, bytes, false);
    uint32_t id = add_copy(c, class, code->stream_down, seconds, "gradients to the host");
    uint32_t on = after != STRAT_NO_OP ? after : code->last_main;
    if (code->stream_down != SIM_STREAM_MAIN)
        strat_compile_after(c, class, id, on);
    return id;
}

/* Seconds of the host's update of @params parameters. */
static double update_s(const StratCompiler *c, double params)
{
    const StratPlan *plan = c->plan;
    double state = strat_optimizer_state_bytes(plan->optimizer, (double)c->costing->model->hidden);
    double gradient = topo_dtype_bytes(plan->gradients);
    bool rise = plan->offload.parameters == STRAT_STORE_DEVICE;
    return strat_stores_update_s(c->costing->cluster, plan->offload.optimizer,
                                 params * (gradient + 2.0 * (4.0 + state) + 2.0),
                                 params * (gradient + 4.0 + state), rise ? 2.0 * params : 0.0);
}

void strat_compile_delayed_update(StratCompiler *c, uint32_t class, double params)
{
    StratClassCode *code = &c->classes[class];
    if (!c->plan->offload.delayed_update)
        return;
    code->last_update =
        add_copy(c, class, code->stream_update, update_s(c, params), "update on the host");
    if (code->last_main != STRAT_NO_OP)
        strat_compile_after(c, class, code->last_update, code->last_main);
}

/* The host's update of @params parameters, or the wait for the delayed one, on the main stream. False
 * where the GPU updates. */
static bool host_update(StratCompiler *c, uint32_t class, double params)
{
    const StratClassCode *code = &c->classes[class];
    if (c->plan->offload.optimizer == STRAT_STORE_DEVICE)
        return false;
    if (!c->plan->offload.delayed_update) {
        add_copy(c, class, SIM_STREAM_MAIN, update_s(c, params), "update on the host");
        return true;
    }
    SimOp join = {.group = SIM_GROUP_NONE,
                  .block = sim_program_add_block(c->program, NULL, 0),
                  .label = sim_program_label(c->program, "wait for the host"),
                  .kind = SIM_OP_DELAY};
    sim_program_add_dep(c->program, strat_compile_main(c, class, join), code->last_update);
    return true;
}

bool strat_compile_update(StratCompiler *c, uint32_t class, double params, double updated,
                          GError **error)
{
    if (host_update(c, class, updated))
        return true;
    double cleared = c->plan->zero_stage > 1 ? updated : params;
    StratOwnCosting room;
    const StratCosting *own =
        strat_costing_of_kind(c->costing, c->classes[class].position.kind, &room);
    double seconds = strat_cost_optimizer_s(own, cleared, updated);
    StratSpan span = {.seconds = seconds, .bucket = STRAT_BUCKET_OPTIMIZER, .label = "optimizer"};
    uint32_t block;
    if (!strat_blocks_span(c->blocks, &span, &block, error))
        return false;
    SimOp op = {.group = SIM_GROUP_NONE,
                .block = block,
                .label = sim_program_label(c->program, "optimizer"),
                .kind = SIM_OP_COMPUTE};
    strat_compile_main(c, class, op);
    return true;
}
