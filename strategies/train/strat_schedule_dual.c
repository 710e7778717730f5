/* DualPipe (DeepSeek-V3, arXiv 2412.19437, section 3.2.1 and table 2) and its half, DualPipeV (both
 * in deepseek-ai/DualPipe, whose order of tasks this is).
 *
 * The model is cut into P chunks. On P stages it is there twice: stage i holds chunk i of the copy
 * that half of the microbatches pass from stage 0 on, and chunk P - 1 - i of the copy that the
 * other half passes from stage P - 1 on. Seen from its nearer end h = min(i, P - 1 - i) a stage has
 * chunk h and, on the way back, chunk P - 1 - h, and so have stages i and P - 1 - i alike: they
 * reduce their gradients together. DualPipeV folds the two stages into one: the model once, on P /
 * 2 stages that hold chunks h and P - 1 - h.
 *
 * With F, B, W: a chunk's forward, whole backward, backward of weights; F&B: a forward of one chunk
 * and a backward of the other as a pair, exchanges of each under the compute of the other; the
 * gradient of the input as long as a forward; free sends: of M microbatches through each chunk a
 * stage is idle for at most
 *
 *   (P / 2 - 1) (F&B + B - 3 W)         M >= P
 *
 * and holds P + 1 chunks' activations. The backward is cut in two at both ends of the step: W fills
 * the gaps before the pairs begin, and goes last. Where the input's gradient takes longer than a
 * forward the idle time is up to a tenth shorter than that.
 *
 * Left out: the two copies of embedding and head that share memory with a prediction module. */
#include "strat_schedule_dual.h"

/* A stage's tasks so far. */
typedef struct Line {
    GArray *tasks;
    int32_t forwards[2], backwards[2]; /* of each chunk, begun */
    GArray *pending;                   /* of StratTask: weights' gradients that are due, in order */
} Line;

static void push(Line *line, StratTaskKind kind, int32_t chunk)
{
    int32_t *next = strat_task_is_forward(kind) ? line->forwards : line->backwards;
    StratTask task = {kind, chunk, next[chunk]++};
    g_array_append_val(line->tasks, task);
    if (kind != STRAT_TASK_INPUT)
        return;
    task.kind = STRAT_TASK_WEIGHT;
    g_array_append_val(line->pending, task);
}

static void push_weight(Line *line)
{
    g_array_append_vals(line->tasks, line->pending->data, 1);
    g_array_remove_index(line->pending, 0);
}

/* A forward of chunk @chunk beside a backward of the other. */
static void push_pair(Line *line, int32_t chunk)
{
    push(line, STRAT_TASK_PAIRED_FORWARD, chunk);
    push(line, STRAT_TASK_PAIRED_BACKWARD, 1 - chunk);
}

static void fill(Line *line, int64_t from_middle, int64_t near_end)
{
    for (int64_t i = 0; i < 2 * from_middle; i++)
        push(line, STRAT_TASK_FORWARD, 0);
    for (int64_t i = 0; i <= near_end; i++) {
        push(line, STRAT_TASK_FORWARD, 0);
        push(line, STRAT_TASK_FORWARD, 1);
    }
    for (int64_t i = 0; i < from_middle; i++) {
        push(line, STRAT_TASK_INPUT, 1);
        push_weight(line);
        push(line, STRAT_TASK_FORWARD, 1);
    }
}

/* In the middle of the pipeline the first two do not overlap: the other way their results come
 * sooner. */
static void alternate(Line *line, int64_t from_middle, int64_t rounds)
{
    for (int64_t i = 0; i < rounds; i++) {
        if (i == 0 && from_middle == 0) {
            push(line, STRAT_TASK_FORWARD, 0);
            push(line, STRAT_TASK_BACKWARD, 1);
        } else {
            push_pair(line, 0);
        }
        push_pair(line, 1);
    }
    for (int64_t i = 0; i < from_middle; i++) {
        push(line, STRAT_TASK_BACKWARD, 1);
        push_pair(line, 1);
    }
}

/* From half of the last backwards on, those of weights are put off. */
static void drain(Line *line, int64_t from_middle, int64_t near_end)
{
    int64_t both = near_end + 1;
    for (int64_t i = 0; i < 2 * both; i++)
        push(line, i < both ? STRAT_TASK_BACKWARD : STRAT_TASK_INPUT, i % 2 == 0);
    for (int64_t i = 0; i < from_middle; i++) {
        push_weight(line);
        push(line, STRAT_TASK_INPUT, 0);
    }
    while (line->pending->len > 0)
        push_weight(line);
}

/* The tasks of a stage that is the @near_end-th of @half from its end of the model. */
static void order(int64_t half, int64_t near_end, int64_t microbatches, GArray *tasks)
{
    g_autoptr(GArray) pending = g_array_new(FALSE, FALSE, sizeof(StratTask));
    Line line = {.tasks = tasks, .pending = pending};
    int64_t from_middle = half - 1 - near_end;
    fill(&line, from_middle, near_end);
    alternate(&line, from_middle, microbatches - half - from_middle);
    drain(&line, from_middle, near_end);
}

void strat_schedule_order_dual(const StratPipeline *pipeline, int64_t stage, GArray *tasks)
{
    int64_t near_end = MIN(stage, pipeline->stages - 1 - stage);
    order(pipeline->stages / 2, near_end, pipeline->microbatches, tasks);
}

void strat_schedule_order_dual_v(const StratPipeline *pipeline, int64_t stage, GArray *tasks)
{
    order(pipeline->stages, stage, pipeline->microbatches, tasks);
}

/* Idle (half - 1) (F&B + B - 3 W), two units each, beside 2 M (F + B) of three. */
static double bubble(int64_t half, int64_t microbatches)
{
    double idle = 2.0 * (double)(half - 1);
    return idle / (6.0 * (double)microbatches + idle);
}

double strat_schedule_bubble_dual(const StratPipeline *pipeline)
{
    return bubble(pipeline->stages / 2, pipeline->microbatches);
}

double strat_schedule_bubble_dual_v(const StratPipeline *pipeline)
{
    return bubble(pipeline->stages, pipeline->microbatches);
}
