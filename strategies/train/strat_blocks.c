/* Spans of seconds become blocks of whole nanoseconds, and equal pieces share one block: a pipeline
 * of 64 stages has four or five. */
#include "strat_blocks.h"

#include "sim_time.h"

typedef struct BlockKey {
    StratModelChunk chunk;
    StratTaskKind kind;
    uint32_t block;
} BlockKey;

struct StratBlocks {
    SimProgram *program;
    const StratCosting *costing;
    GArray *known; /* of BlockKey */
    GArray *spans; /* of StratSpan, scratch */
};

StratBlocks *strat_blocks_new(SimProgram *program, const StratCosting *costing)
{
    StratBlocks *blocks = g_new0(StratBlocks, 1);
    blocks->program = program;
    blocks->costing = costing;
    blocks->known = g_array_new(FALSE, FALSE, sizeof(BlockKey));
    blocks->spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    return blocks;
}

void strat_blocks_free(StratBlocks *blocks)
{
    if (!blocks)
        return;
    g_array_unref(blocks->known);
    g_array_unref(blocks->spans);
    g_free(blocks);
}

static bool same_chunk(const StratModelChunk *a, const StratModelChunk *b)
{
    return a->wide_first == b->wide_first && a->wide_last == b->wide_last &&
           a->layers == b->layers && a->moe_layers == b->moe_layers && a->spared == b->spared &&
           a->spared_moe == b->spared_moe && a->teacher_layers == b->teacher_layers &&
           a->embedding == b->embedding && a->head == b->head &&
           a->receives_forward == b->receives_forward &&
           a->receives_backward == b->receives_backward && a->starts_forward == b->starts_forward &&
           a->starts_backward == b->starts_backward &&
           a->tensor_per_domain == b->tensor_per_domain &&
           a->context_per_domain == b->context_per_domain &&
           a->expert_per_domain == b->expert_per_domain && a->beside_s == b->beside_s &&
           a->kind == b->kind && a->clock_fraction == b->clock_fraction &&
           a->tensor_nic_fraction == b->tensor_nic_fraction &&
           a->context_nic_fraction == b->context_nic_fraction &&
           a->expert_nic_fraction == b->expert_nic_fraction;
}

static bool add_block(StratBlocks *blocks, uint32_t *block, GError **error)
{
    g_autoptr(GArray) segments = g_array_new(FALSE, TRUE, sizeof(SimSegment));
    for (guint i = 0; i < blocks->spans->len; i++) {
        const StratSpan *span = &g_array_index(blocks->spans, StratSpan, i);
        SimSegment segment = {.bucket = (uint16_t)span->bucket,
                              .label = sim_program_label(blocks->program, span->label)};
        if (!sim_time_from_seconds(span->seconds, &segment.duration_ns, error)) {
            g_prefix_error(error, "%s: ", span->label);
            return false;
        }
        g_array_append_val(segments, segment);
    }
    *block =
        sim_program_add_block(blocks->program, (const SimSegment *)segments->data, segments->len);
    return true;
}

bool strat_blocks_get(StratBlocks *blocks, const StratModelChunk *chunk, StratTaskKind kind,
                      uint32_t *block, GError **error)
{
    for (guint i = 0; i < blocks->known->len; i++) {
        const BlockKey *key = &g_array_index(blocks->known, BlockKey, i);
        if (key->kind == kind && same_chunk(&key->chunk, chunk)) {
            *block = key->block;
            return true;
        }
    }
    g_array_set_size(blocks->spans, 0);
    static const StratBackward parts[] = {
        [STRAT_TASK_BACKWARD] = STRAT_BACKWARD_WHOLE,
        [STRAT_TASK_INPUT] = STRAT_BACKWARD_INPUT,
        [STRAT_TASK_WEIGHT] = STRAT_BACKWARD_WEIGHT,
        [STRAT_TASK_PAIRED_BACKWARD] = STRAT_BACKWARD_WHOLE,
    };
    StratOwnCosting room;
    const StratCosting *own = strat_costing_of_kind(blocks->costing, chunk->kind, &room);
    if (strat_task_is_forward(kind))
        strat_cost_forward(own, chunk, blocks->spans);
    else
        strat_cost_backward(own, chunk, parts[kind], blocks->spans);
    BlockKey key = {*chunk, kind, 0};
    if (!add_block(blocks, &key.block, error))
        return false;
    g_array_append_val(blocks->known, key);
    *block = key.block;
    return true;
}

bool strat_blocks_span(StratBlocks *blocks, const StratSpan *span, uint32_t *block, GError **error)
{
    g_array_set_size(blocks->spans, 0);
    g_array_append_vals(blocks->spans, span, 1);
    return add_block(blocks, block, error);
}
