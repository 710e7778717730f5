/* A lower bound of a plan's step, and its memory, from tables.
 *
 * Take the first rank of each stage s, and let F0, B0 be one microbatch through the stage's first
 * chunk, work(s) all its tasks and blocking sends, post(s) what follows its last task. A schedule
 * that flushes starts stage s with a forward of its first chunk and ends it with a backward of it
 * (strat_schedule.c), so the chain
 *
 *   gather + sum over j < s of (F0(j) + send)    until the first forward of s
 *   + work(s)
 *   + tail(s) = max(post(s), send + B0(s - 1) + tail(s - 1))
 *
 * is one of dependencies: no order of the rest makes the step shorter, and the step is not below
 * the largest over all s. With the last gradients reduced under the last backward, the reductions
 * of a stage run one after the other once its last backward has begun, which is a second chain. A
 * zero-bubble step is a period: work(s) + post(s). For equal stages and free sends the bound is the
 * closed form of the schedule, (m + (p - 1) / v) (F + B).
 *
 * Transfers count with what the network says of them alone, or with nothing where they are laid
 * over links of a fabric, or where gradients or parameters are sharded, come in buckets of a size
 * or are exchanged otherwise than by an all-reduce. Memory is the sum of
 * strat_memory.c, with activations in closed form: min(m, p - s) microbatches of a 1F1B stage, all
 * of GPipe's, warm-up and one of an interleaved stage whose chunks are alike; its two ends are
 * walked, with four rounds of microbatches for all.
 *
 * Models with experts are not for this screen: the search refuses them. Left out, all of which only
 * makes a step longer: waits that stages of unequal length cause, slow GPUs and weak NICs,
 * contention. */
#include "strat_screen.h"

#include "strat_layout.h"
#include "strat_memory.h"
#include "strat_screen_prices.h"

#include <string.h>

/* Bytes summed in another order may round a transfer to another ns. */
static const double ROUNDING = 1e-9;

enum { WALKED_ROUNDS = 4 };

struct StratScreen {
    StratCosting costing;
    StratScreenPrices *prices;
};

/* One plan under the screen. */
typedef struct Look {
    StratCosting costing;
    const StratPlan *plan;
    const StratSchedule *schedule;
    StratScreenPrices *prices;
    const StratStageShape *shape;
    const StratPosition *places;
    const double *params;
    int64_t microbatches, data_ranks;
    bool reads_fabric, hides_data;
} Look;

StratScreen *strat_screen_new(const StratCosting *costing)
{
    StratScreen *screen = g_new0(StratScreen, 1);
    screen->costing = *costing;
    screen->prices = strat_screen_prices_new(&screen->costing);
    return screen;
}

void strat_screen_free(StratScreen *screen)
{
    if (!screen)
        return;
    strat_screen_prices_free(screen->prices);
    g_free(screen);
}

static int64_t sum_ns(const StratParts *parts, const int64_t *ns)
{
    int64_t sum = 0;
    for (size_t i = 0; i < STRAT_PARTS; i++)
        sum += parts->count[i] * ns[i];
    return sum;
}

static double sum_of(const StratParts *parts, const double *value)
{
    double sum = 0.0;
    for (size_t i = 0; i < STRAT_PARTS; i++)
        sum += (double)parts->count[i] * value[i];
    return sum;
}

static int64_t to_ns(double seconds)
{
    SimTime ns = 0;
    return sim_time_from_seconds(seconds, &ns, NULL) ? ns : 0;
}

static int64_t transfer_ns(const Look *look, TopoCollectiveOp op, int64_t ranks, int64_t per_domain,
                           double bytes)
{
    TopoTransfer transfer = {
        .op = op, .ranks = ranks, .ranks_per_domain = per_domain, .bytes = bytes};
    if (look->reads_fabric || ranks < 2)
        return 0;
    return to_ns(look->costing.net->seconds(look->costing.cluster, &transfer));
}

/* Whether the data group moves its traffic once a step and all together; where it is sharded
 * further, shares it with a mirror stage, or replicas agree otherwise, traffic counts as nothing. */
static bool is_plain(const Look *look)
{
    const StratPlan *plan = look->plan;
    return plan->zero_stage < 2 && (plan->zero_stage == 0 || plan->shard == 0) &&
           !look->schedule->is_dual && strat_data_is_plain(&plan->data_parallel) &&
           strat_bucket_bytes(&plan->data_parallel.buckets, 1.0) <= 0.0;
}

/* Whether backwards are cut in two, all or some. */
static bool is_cut(const Look *look)
{
    return look->schedule->kinds & 1U << STRAT_TASK_WEIGHT;
}

static int64_t reduce_ns(const Look *look, int64_t stage, double params)
{
    const StratPlan *plan = look->plan;
    if (plan->optimizer == STRAT_OPTIMIZER_NONE || !is_plain(look))
        return 0;
    return transfer_ns(look, plan->zero_stage > 0 ? TOPO_OP_REDUCE_SCATTER : TOPO_OP_ALL_REDUCE,
                       look->data_ranks, look->places[stage].data_per_domain,
                       params * topo_dtype_bytes(plan->gradients));
}

static int64_t gather_ns(const Look *look, int64_t stage, double params)
{
    if (look->plan->zero_stage == 0 || !is_plain(look))
        return 0;
    return transfer_ns(
        look, TOPO_OP_ALL_GATHER, look->data_ranks, look->places[stage].data_per_domain,
        params * strat_recipe_gathered_bytes(&look->plan->quantise, look->plan->precision));
}

static int64_t tied_ns(const Look *look, int64_t stage)
{
    const StratPlan *plan = look->plan;
    const ModelSpec *model = look->costing.model;
    bool end = stage == 0 || stage == plan->pipeline - 1;
    if (!model->tied_embeddings || !end || plan->pipeline == 1 || strat_ends_meet(plan) ||
        model->vocab == 0)
        return 0;
    return transfer_ns(look, TOPO_OP_ALL_REDUCE, 2, look->places[stage].ends_per_domain,
                       model_vocab_shard_params(model, plan->tensor) *
                           topo_dtype_bytes(plan->gradients));
}

/* What follows a stage's last task, without reductions that run under tasks; and all reductions. */
typedef struct Post {
    int64_t after_ns, reductions_ns;
} Post;

static Post post_of(const Look *look, int64_t stage)
{
    const StratStageShape *shape = &look->shape[stage];
    double params = sum_of(&shape->all, look->params);
    double copies = look->schedule->is_dual ? 2.0 : 1.0;
    double share = look->plan->zero_stage > 0 ? copies * (double)look->data_ranks : 1.0;
    Post post = {.after_ns = to_ns(strat_cost_optimizer_s(&look->costing, params, params / share))};
    post.after_ns += tied_ns(look, stage);
    if (!look->hides_data) {
        post.after_ns += reduce_ns(look, stage, params);
        if (look->plan->optimizer != STRAT_OPTIMIZER_NONE)
            post.after_ns += gather_ns(look, stage, params);
        return post;
    }
    for (int64_t i = 0; i < shape->pieces; i++)
        post.reductions_ns += reduce_ns(look, stage, sum_of(&shape->piece[i], look->params));
    return post;
}

/* Whether stage @stage is the one before it over again, as most are. */
static bool repeats(const Look *look, int64_t stage)
{
    const StratPosition *at = &look->places[stage];
    return stage > 0 &&
           memcmp(&look->shape[stage], &look->shape[stage - 1], sizeof *look->shape) == 0 &&
           memcmp(at, at - 1, sizeof *at) == 0;
}

/* Times of one stage, in ns. */
typedef struct Stage {
    int64_t first_forward, first_backward; /* one microbatch through its first chunk */
    int64_t last_backward;                 /* of all its chunks, and their sends */
    int64_t work, send_next, send_previous;
    Post post;
} Stage;

static Stage stage_of(const Look *look, int64_t stage)
{
    const StratPlan *plan = look->plan;
    const StratStageShape *shape = &look->shape[stage];
    const StratPosition *at = &look->places[stage];
    const StratPartPrices *parts = strat_screen_parts(look->prices, plan, at);
    double bytes = strat_send_bytes(&look->costing);
    Stage out = {
        .first_forward = sum_ns(&shape->first, parts->ns[STRAT_TASK_FORWARD]),
        .first_backward = sum_ns(&shape->first, parts->ns[STRAT_TASK_BACKWARD]),
        .last_backward = sum_ns(&shape->all, parts->ns[STRAT_TASK_BACKWARD]),
    };
    if (plan->pipeline > 1) {
        out.send_next = transfer_ns(look, TOPO_OP_SEND, 2, at->send_next_per_domain, bytes);
        out.send_previous = transfer_ns(look, TOPO_OP_SEND, 2, at->send_previous_per_domain, bytes);
    }
    int64_t backward = out.last_backward;
    int64_t parted = sum_ns(&shape->all, parts->ns[STRAT_TASK_INPUT]) +
                     sum_ns(&shape->all, parts->ns[STRAT_TASK_WEIGHT]);
    if (is_cut(look))
        backward =
            look->schedule->kinds & 1U << STRAT_TASK_BACKWARD ? MIN(backward, parted) : parted;
    int64_t once = sum_ns(&shape->all, parts->ns[STRAT_TASK_FORWARD]) + backward;
    /* On a way back forwards go to the previous stage: the cheaper way stands for both. */
    int64_t next = out.send_next, previous = out.send_previous;
    if (look->schedule->is_v || look->schedule->is_dual)
        next = previous = MIN(next, previous);
    if (!plan->overlap_pipeline) {
        int64_t sends_back = shape->all.count[STRAT_PART_RECEIVE_FORWARD] * previous;
        once += shape->all.count[STRAT_PART_RECEIVE_BACKWARD] * next + sends_back;
        out.last_backward += sends_back;
    }
    out.work = look->microbatches * once;
    return out;
}

/* The piece of the first chunk that is reduced last. */
static int64_t last_reduce_ns(const Look *look, int64_t stage)
{
    return look->hides_data && !is_cut(look)
               ? reduce_ns(look, stage, sum_of(&look->shape[stage].piece[0], look->params))
               : 0;
}

static int64_t flush_ns(const Look *look)
{
    bool blocks = !look->plan->overlap_pipeline;
    int64_t head = 0, tail = 0, best = 0;
    Stage now = {0}, before;
    int64_t last_reduce = 0;
    if (look->hides_data)
        head = gather_ns(look, 0, sum_of(&look->shape[0].piece[0], look->params));
    for (int64_t s = 0; s < look->plan->pipeline; s++) {
        before = now;
        if (!repeats(look, s)) {
            now = stage_of(look, s);
            now.post = post_of(look, s);
            last_reduce = last_reduce_ns(look, s);
        }
        int64_t post = last_reduce + now.post.after_ns;
        if (s > 0) {
            head += before.first_forward + before.send_next;
            /* Where sends block, work() has the stage's own, and the one before sends on as well,
             * unless it is the first. */
            int64_t send = blocks ? (s > 1 ? before.send_previous : 0) : now.send_previous;
            post = MAX(post, send + before.first_backward + tail);
        }
        tail = post;
        best = MAX(best, head + now.work + tail);
        if (look->hides_data && look->plan->virtual_stages == 1)
            best = MAX(best, head + now.work - now.last_backward + now.post.reductions_ns +
                                 now.post.after_ns);
    }
    return best;
}

static int64_t period_ns(const Look *look)
{
    int64_t best = 0;
    for (int64_t s = 0; s < look->plan->pipeline; s++)
        if (!repeats(look, s))
            best = MAX(best, stage_of(look, s).work + post_of(look, s).after_ns);
    return best;
}

/* Bytes of the activations that an end of an interleaved pipeline holds, by its tasks. */
static double walked_bytes(const Look *look, const double *saved_bytes, int64_t stage)
{
    const StratPlan *plan = look->plan;
    StratPipeline pipeline = {
        .stages = plan->pipeline,
        .chunks = plan->virtual_stages,
        .microbatches = MIN(look->microbatches, WALKED_ROUNDS * plan->pipeline),
    };
    g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(StratTask));
    g_autofree double *saved = g_new0(double, plan->virtual_stages);
    g_autofree double *weight = g_new0(double, plan->virtual_stages);
    StratMemory memory = {0};
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(look->costing.model, plan, stage, k);
        saved[k] = (double)(chunk.layers - chunk.spared) * saved_bytes[STRAT_PART_LAYER] +
                   (double)chunk.spared * saved_bytes[STRAT_PART_SPARED_LAYER] +
                   (chunk.embedding ? saved_bytes[STRAT_PART_EMBEDDING] : 0.0) +
                   (chunk.head ? saved_bytes[STRAT_PART_HEAD] : 0.0);
    }
    look->schedule->order(&pipeline, stage, tasks);
    strat_memory_walk(tasks, saved, weight, &memory);
    return memory.activations_bytes;
}

static double activations_bytes(const Look *look, const StratPartPrices *parts, int64_t stage)
{
    const StratPlan *plan = look->plan;
    double first = sum_of(&look->shape[stage].first, parts->saved_bytes);
    int64_t m = look->microbatches, left = plan->pipeline - stage;
    if (is_cut(look) || plan->pipeline == 1)
        return g_str_equal(plan->schedule, "gpipe") ? (double)m * first : first;
    if (!look->schedule->interleaves)
        return (double)(g_str_equal(plan->schedule, "gpipe") ? m : MIN(m, left)) * first;
    if (stage == 0 || left == 1)
        return walked_bytes(look, parts->saved_bytes, stage);
    int64_t held = 2 * (left - 1) + (plan->virtual_stages - 1) * plan->pipeline + 1;
    int64_t total = m * plan->virtual_stages;
    return (double)(m == plan->pipeline ? total : MIN(held, total)) * first;
}

static double memory_bytes(const Look *look)
{
    double most = 0.0;
    for (int64_t s = 0; s < look->plan->pipeline; s++) {
        if (repeats(look, s))
            continue; /* and holds no more than the stage before it */
        const StratStageShape *shape = &look->shape[s];
        const StratPartPrices *parts =
            strat_screen_parts(look->prices, look->plan, &look->places[s]);
        StratMemory memory = {
            .activations_bytes = activations_bytes(look, parts, s),
            .workspace_bytes = parts->workspace_bytes[STRAT_PART_LAYER],
        };
        if (shape->all.count[STRAT_PART_HEAD] > 0)
            memory.workspace_bytes =
                MAX(memory.workspace_bytes, parts->workspace_bytes[STRAT_PART_HEAD]);
        strat_memory_states(&look->costing, s, sum_of(&shape->all, look->params), 0.0, &memory);
        most = MAX(most, memory.peak_bytes);
    }
    return most;
}

StratLeast strat_screen_plan(StratScreen *screen, const StratPlan *plan)
{
    const StratSchedule *schedule = strat_plan_schedule(plan);
    Look look = {
        .costing = screen->costing,
        .plan = plan,
        .schedule = schedule,
        .prices = screen->prices,
        .shape = strat_screen_shape(screen->prices, plan, schedule),
        .places = strat_screen_places(screen->prices, plan),
        .params = strat_screen_params(screen->prices, plan, schedule),
        .microbatches =
            plan->global_batch / (plan->data * plan->micro_batch * (schedule->is_dual ? 2 : 1)),
        .data_ranks = plan->data * plan->context,
        .reads_fabric = strat_costing_reads_fabric(&screen->costing),
    };
    look.costing.plan = plan;
    look.hides_data = plan->overlap_data && look.data_ranks > 1;
    int64_t ns = is_cut(&look) ? period_ns(&look) : flush_ns(&look);
    return (StratLeast){(double)ns * 1e-9 * (1.0 - ROUNDING), memory_bytes(&look)};
}
