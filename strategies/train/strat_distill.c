/* A teacher beside the student (Hinton 2015, arXiv 1503.02531; NeMo's and Minitron's logit
 * distillation, arXiv 2407.14679, section 3).
 *
 * The teacher's layers stand on the student's stages, in proportion: layers f to f + c of L have
 * the teacher's floor(f T / L) to floor((f + c) T / L). Of a microbatch they run the forward alone,
 * after the student's, and pass its activation on to the next stage beside the student's.
 *
 * The teacher may be cut over other tensor groups than the student: over u ranks instead of t it
 * takes the microbatches of u / t replicas at once, b u / t sequences. Then its logits change
 * hands:
 *
 *   tokens * v * 2 bytes    gathered over its group, v all logits, or k of them with their numbers
 *                           (6 bytes each) where only the top k reach the loss
 *
 * The loss reads the teacher's logits once more than the student's own loss does, forward and
 * backward: 3 passes of 4 bytes over what a rank has of them (softmax, difference, sum).
 *
 * Left out: losses of inner states, and teachers on GPUs of their own. */
#include "strat_distill.h"

#include "kern_pass.h"
#include "strat_layout.h"

bool strat_distill_is_on(const StratPlan *plan)
{
    return plan->distill.teacher.layers > 0;
}

static int64_t tensor_of(const StratPlan *plan)
{
    return plan->distill.tensor > 0 ? plan->distill.tensor : plan->tensor;
}

/* The plan that the teacher's forward runs by: no levers of the student's. */
static StratPlan teacher_plan(const StratPlan *plan)
{
    StratPlan teacher = *plan;
    teacher.tensor = tensor_of(plan);
    teacher.micro_batch = plan->micro_batch * teacher.tensor / plan->tensor;
    teacher.sequence_parallel = plan->sequence_parallel && teacher.tensor > 1;
    teacher.recompute = STRAT_RECOMPUTE_NONE;
    teacher.offload = (StratStores){0};
    teacher.adapters = (ModelAdapters){0};
    teacher.sparsity = (StratSparsity){0};
    teacher.distill = (StratDistill){0};
    return teacher;
}

static StratModelChunk teacher_chunk(const StratCosting *costing, const StratModelChunk *chunk)
{
    StratModelChunk teacher = *chunk;
    teacher.layers = chunk->teacher_layers;
    teacher.moe_layers = teacher.spared = teacher.spared_moe = teacher.teacher_layers = 0;
    teacher.starts_forward = teacher.starts_backward = false;
    if (tensor_of(costing->plan) != costing->plan->tensor)
        teacher.tensor_per_domain =
            MIN(tensor_of(costing->plan), costing->cluster->node.scale_up_gpus);
    return teacher;
}

/* Logits of the teacher that one rank reads for the loss. */
static double logits_of(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    double tokens = (double)(plan->micro_batch * plan->sequence_length / plan->context);
    if (plan->distill.top_logits > 0)
        return tokens * (double)plan->distill.top_logits;
    return tokens * (double)model_vocab_padded(&plan->distill.teacher, plan->tensor) /
           (double)plan->tensor;
}

static void add_loss(const StratCosting *costing, const StratModelChunk *chunk, GArray *spans)
{
    const StratPlan *plan = costing->plan;
    double logits = logits_of(costing);
    StratSpan loss = {.seconds = kern_pass_s(&costing->device, 3.0 * 4.0 * logits, 3),
                      .bucket = STRAT_BUCKET_TEACHER,
                      .label = "distillation loss",
                      .kind = STRAT_KIND_PASSES};
    g_array_append_val(spans, loss);
    if (tensor_of(plan) == plan->tensor && plan->distill.top_logits == 0)
        return;
    double bytes =
        plan->distill.top_logits > 0 ? 6.0 * logits : 2.0 * logits * (double)plan->tensor;
    StratModelChunk teacher = teacher_chunk(costing, chunk);
    TopoTransfer gather = {.op = TOPO_OP_ALL_GATHER,
                           .ranks = MAX(tensor_of(plan), plan->tensor),
                           .ranks_per_domain = MAX(teacher.tensor_per_domain, 1),
                           .bytes = bytes};
    if (gather.ranks == 1)
        return;
    StratSpan moved = {.seconds = costing->net->seconds(costing->cluster, &gather),
                       .bucket = STRAT_BUCKET_TEACHER,
                       .label = "teacher's logits",
                       .kind = STRAT_KIND_SCALE_UP};
    g_array_append_val(spans, moved);
}

void strat_distill_forward(const StratCosting *costing, const StratModelChunk *chunk, GArray *spans)
{
    StratPlan plan = teacher_plan(costing->plan);
    StratCosting teacher = *costing;
    teacher.plan = &plan;
    teacher.model = &costing->plan->distill.teacher;
    StratModelChunk part = teacher_chunk(costing, chunk);
    guint first = spans->len;
    strat_cost_forward(&teacher, &part, spans);
    for (guint i = first; i < spans->len; i++)
        g_array_index(spans, StratSpan, i).bucket = STRAT_BUCKET_TEACHER;
    if (chunk->head)
        add_loss(costing, chunk, spans);
}

double strat_distill_weights_bytes(const StratCosting *costing, const StratModelChunk *chunk)
{
    StratPlan plan = teacher_plan(costing->plan);
    StratModelChunk part = teacher_chunk(costing, chunk);
    return 2.0 * strat_chunk_params(&costing->plan->distill.teacher, &plan, &part);
}

double strat_distill_workspace_bytes(const StratCosting *costing, const StratModelChunk *chunk)
{
    StratPlan plan = teacher_plan(costing->plan);
    StratCosting teacher = *costing;
    teacher.plan = &plan;
    teacher.model = &costing->plan->distill.teacher;
    StratModelChunk layer = {.layers = 1};
    double logits = chunk->head ? 2.0 * logits_of(costing) : 0.0;
    return MAX(strat_chunk_saved_bytes(&teacher, &layer), logits);
}

double strat_distill_flop(const StratCosting *costing, double sequences)
{
    const StratPlan *plan = costing->plan;
    return model_flop(&plan->distill.teacher, sequences, (double)plan->sequence_length, false) /
           3.0;
}
