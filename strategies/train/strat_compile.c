/* Compiles a training plan into a Program.
 *
 * Every class runs the tasks of its stage in the order of the schedule on its main stream. A
 * forward waits for the activation that the previous chunk's stage sent, a backward for the
 * gradient. Sends stand on the main stream (the stage waits for its own send) or, overlapped, on
 * streams of their own. The ranks that share a microbatch (tensor x context) run in lockstep: a
 * gang. Then gradients are reduced over the data group, tied embeddings over the pipeline's ends,
 * and the optimizer runs.
 *
 * With overlap, the last microbatch's backward (and under ZeRO-1 the first one's forward) is cut
 * into pieces of a few layers; each piece's gradients are reduced as soon as they are final, and
 * each piece's parameters are gathered before its first use: the buckets of Megatron-LM's
 * distributed optimizer and of PyTorch DDP (Li 2020, section 3.2.3). A step then begins with the
 * gather that the previous step's optimizer started.
 *
 * Traffic of tensor and context groups is part of the blocks' prices; where it could meet the rest
 * it is carried beside them as well (strat_compile_beside.c).
 *
 * Left out: the norm of the gradients over all ranks is priced but does not hold a stage back. */
#include "strat_compile_private.h"

/* What microbatch @slot waits for: what chunk @near of the stage of @near_class sent, or, where
 * that is the same stage, has computed. */
static uint32_t result_of(const StratClassCode *near_class, int direction, int64_t near,
                          int64_t slot)
{
    int64_t at = near * near_class->pipeline.microbatches + slot;
    const StratChunkCode *chunk = &near_class->chunks[near];
    bool sends =
        direction == STRAT_FORWARD ? chunk->chunk.receives_backward : chunk->chunk.receives_forward;
    return sends ? near_class->send[direction][at] : near_class->last[direction][at];
}

/* Pass two: tasks wait for what the neighbouring chunk's stage sent. */
static void connect_class(StratCompiler *c, uint32_t class)
{
    const StratClassCode *code = &c->classes[class];
    const StratFold *fold = c->fold;
    StratRank at = strat_rank_at(c->plan, fold->representative[class]);
    int64_t m = code->pipeline.microbatches;
    for (int d = 0; d < STRAT_DIRECTIONS; d++) {
        for (int64_t k = 0; k < c->pipeline.chunks; k++) {
            StratSpot spot = {at.stage, k}, near;
            if (!strat_schedule_near(c->schedule, &code->pipeline, spot,
                                     d == STRAT_FORWARD ? -1 : 1, &near))
                continue;
            StratRank from = at;
            from.stage = near.stage;
            uint32_t source = fold->class_of[strat_rank_index(c->plan, from)];
            for (int64_t i = 0; i < m; i++) {
                uint32_t result = result_of(&c->classes[source], d, near.chunk, i);
                /* What is beside the first operation follows it in number. */
                for (uint32_t b = 0; b <= code->first_beside[d][k * m + i]; b++)
                    sim_program_add_dep(c->program, code->first[d][k * m + i] + b, result);
            }
        }
    }
}

static bool open_all(StratCompiler *c, GError **error)
{
    uint32_t classes = (uint32_t)c->fold->classes;
    for (uint32_t i = 0; i < classes; i++) {
        if (!strat_compile_open(c, i, error))
            return false;
    }
    for (uint32_t i = 0; i < classes; i++)
        strat_compile_open_beside(c, i);
    return true;
}

static bool compile_once(StratCompiler *c, GError **error)
{
    uint32_t classes = (uint32_t)c->fold->classes;
    for (uint32_t i = 0; i < classes; i++) {
        if (!strat_compile_step(c, i, error))
            return false;
    }
    for (uint32_t i = 0; i < classes; i++)
        connect_class(c, i);
    return true;
}

/* All classes meet before the next step. */
static void add_barrier(StratCompiler *c)
{
    uint32_t classes = (uint32_t)c->fold->classes;
    SimOp meet = {.group = SIM_GROUP_NONE,
                  .block = sim_program_add_block(c->program, NULL, 0),
                  .label = sim_program_label(c->program, "next step"),
                  .kind = SIM_OP_DELAY};
    if (classes > 1)
        meet.group = sim_program_add_group(c->program, classes);
    for (uint32_t i = 0; i < classes; i++)
        strat_compile_main(c, i, meet);
}

static bool compile_all(StratCompiler *c, uint32_t steps, GArray *ends, GError **error)
{
    if (!open_all(c, error))
        return false;
    for (uint32_t step = 0; step < steps; step++) {
        if (step > 0)
            add_barrier(c);
        if (!compile_once(c, error))
            return false;
        uint32_t end = sim_program_op_count(c->program);
        g_array_append_val(ends, end);
    }
    return true;
}

SimProgram *strat_program_new(void)
{
    SimProgram *program = sim_program_new();
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++) {
        uint16_t id = sim_program_bucket(program, strat_bucket_key((StratBucket)b));
        g_assert(id == b);
    }
    sim_program_set_wait_bucket(program, STRAT_BUCKET_BUBBLE);
    return program;
}

static void compiler_clear(StratCompiler *c)
{
    for (int64_t i = 0; i < c->fold->classes; i++)
        strat_compile_close(&c->classes[i]);
    g_free(c->classes);
    g_ptr_array_unref(c->orders);
    strat_blocks_free(c->blocks);
    strat_rendezvous_free(c->rendezvous);
}

/* Room for @steps steps of @c: a matter of speed only. */
static void reserve(const StratCompiler *c, uint32_t steps)
{
    uint64_t tasks =
        (uint64_t)c->fold->classes * (uint64_t)(c->pipeline.chunks * c->pipeline.microbatches);
    uint64_t room = sim_program_op_count(c->program) + 4 * steps * tasks + 64;
    sim_program_reserve(c->program, (uint32_t)MIN(room, 1u << 30), (uint32_t)MIN(room, 1u << 30));
}

bool strat_compile_steps(const StratSteps *job, SimProgram *program, StratTransfers *transfers,
                         GArray *ends, GError **error)
{
    const StratPlan *plan = job->costing->plan;
    const StratSchedule *schedule = strat_schedule_by_name(plan->schedule, error);
    if (!schedule)
        return false;
    g_autofree char *reason = NULL;
    if (!strat_plan_schedule_fits(plan, &reason)) {
        g_set_error_literal(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED, reason);
        return false;
    }
    StratCompiler c = {
        .costing = job->costing,
        .plan = plan,
        .schedule = schedule,
        .pipeline = strat_pipe(job->costing),
        .fold = job->fold,
        .program = program,
        .transfers = transfers,
        .prefix = job->prefix,
        .tasks = job->tasks,
        .first_class = sim_program_class_count(program),
        .classes = g_new0(StratClassCode, job->fold->classes),
        .blocks = strat_blocks_new(program, job->costing),
        .rendezvous = strat_rendezvous_new(program, job->fold),
    };
    c.orders = strat_schedule_orders(schedule, &c.pipeline);
    strat_transfers_next_job(transfers, plan, job->fold, job->first_rank);
    reserve(&c, job->steps);
    c.label_send[STRAT_FORWARD] = sim_program_label(c.program, "send activation");
    c.label_send[STRAT_BACKWARD] = sim_program_label(c.program, "send gradient");
    static const char *const tasks[] = {
        [STRAT_TASK_FORWARD] = "forward",
        [STRAT_TASK_BACKWARD] = "backward",
        [STRAT_TASK_INPUT] = "backward of input",
        [STRAT_TASK_WEIGHT] = "backward of weights",
        [STRAT_TASK_PAIRED_FORWARD] = "forward beside a backward",
        [STRAT_TASK_PAIRED_BACKWARD] = "backward beside a forward",
    };
    for (size_t kind = 0; kind < STRAT_TASK_KINDS; kind++)
        c.label_task[kind] = sim_program_label(c.program, tasks[kind]);
    bool compiled = compile_all(&c, job->steps, ends, error);
    compiler_clear(&c);
    return compiled;
}

StratStep *strat_compile(const StratCosting *costing, bool fold, GError **error)
{
    g_autoptr(StratStep) step = g_new0(StratStep, 1);
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    const StratPlan *plan = costing->plan;
    StratPlaces places = strat_places_of(costing);
    if (!strat_places_check(&places, error) || !strat_places_check_kinds(&places, plan, error))
        return NULL;
    step->program = strat_program_new();
    step->fold = strat_fold_new(&places, plan, fold);
    step->transfers = strat_transfers_new(plan, step->fold, strat_costing_reads_fabric(costing));
    step->tasks = g_array_new(FALSE, FALSE, sizeof(StratTaskOps));
    StratSteps once = {
        .costing = costing, .fold = step->fold, .prefix = "", .steps = 1, .tasks = step->tasks};
    if (!strat_compile_steps(&once, step->program, step->transfers, ends, error) ||
        !sim_program_seal(step->program, error))
        return NULL;
    return g_steal_pointer(&step);
}

void strat_step_free(StratStep *step)
{
    if (!step)
        return;
    if (step->tasks)
        g_array_unref(step->tasks);
    sim_program_free(step->program);
    strat_transfers_free(step->transfers);
    strat_fold_free(step->fold);
    g_free(step);
}
