/* Folding by colour refinement.
 *
 * Two ranks behave alike when they run the same stage from the same position and everybody they
 * wait for behaves alike too. Start with a colour for (stage, position, kind of node, clock of the
 * GPU, bandwidth of the NIC); then give each rank a new
 * colour from its own, its two pipeline neighbours', and the multisets of colours in its gang, in
 * its data group (and, where that holds several copies, in the groups that share one and that hold
 * the same part of each) and among the ranks that hold the same experts (and of the rank with the
 * same chunks, where the model is there twice), until no colour splits any
 * more. What remains is the coarsest equitable partition: the ranks of a colour have the same
 * program and partners of the same colours, so one representative has the same times as all of them
 * (Paige and Tarjan 1987, "Three partition refinement algorithms"). A plan that fits its nodes
 * evenly gives one class a stage, and one slow GPU makes it four: the slow rank, the rest of its
 * gang, the ranks that reduce gradients with it, and all others. */
#include "strat_fold.h"

#include "sim_hash.h"

#include <string.h>

static uint64_t combine(uint64_t hash, uint64_t value)
{
    return sim_hash_mix(hash ^ sim_hash_mix(value));
}

/* Strides of the rank numbering: everything a rank belongs to is arithmetic on its number. */
typedef struct Cut {
    int64_t tensor, microbatch, gang, stage, ranks;
    int64_t inner;  /* members of a data group that agree every step */
    int64_t shard;  /* of these that share a copy */
    int64_t expert; /* stride of ranks with the same experts; 0: the model has none */
    bool is_dual;   /* each chunk is on two stages */
} Cut;

static Cut cut_of(const StratPlan *plan)
{
    int64_t shared = plan->tensor * plan->context, stage = shared * plan->data;
    return (Cut){.tensor = plan->tensor,
                 .microbatch = shared,
                 .gang = strat_gang(plan, 0).count,
                 .stage = stage,
                 .ranks = stage * plan->pipeline,
                 .inner = strat_inner_ranks(plan),
                 .shard = strat_shard_ranks(plan),
                 .expert = plan->expert > 0 ? strat_expert_data_group(plan, 0).stride : 0,
                 .is_dual = strat_plan_schedule(plan)->is_dual};
}

static int64_t next_stage(const Cut *cut, int64_t rank)
{
    return rank + cut->stage < cut->ranks ? rank + cut->stage : rank + cut->stage - cut->ranks;
}

static int64_t previous_stage(const Cut *cut, int64_t rank)
{
    return rank >= cut->stage ? rank - cut->stage : rank - cut->stage + cut->ranks;
}

/* First member of the rank's gang, and of its data group. */
static int64_t gang_first(const Cut *cut, int64_t rank)
{
    return rank - rank % cut->gang;
}

static int64_t data_first(const Cut *cut, int64_t rank)
{
    return rank - rank % cut->stage + rank % cut->tensor;
}

/* Likewise of the ranks that share its copy, and of those that hold its part of other copies. */
static int64_t shard_first(const Cut *cut, int64_t rank)
{
    int64_t member = rank % cut->stage / cut->tensor;
    return rank - member % cut->shard * cut->tensor;
}

static int64_t copies_first(const Cut *cut, int64_t rank)
{
    int64_t member = rank % cut->stage / cut->tensor;
    return rank - member % cut->inner / cut->shard * cut->shard * cut->tensor;
}

/* And of those that hold the same experts. */
static int64_t expert_data_first(const Cut *cut, int64_t rank)
{
    return rank - rank % cut->stage + rank % cut->stage % cut->expert;
}

/* The rank with the same chunks. */
static int64_t mirror_of(const Cut *cut, int64_t rank)
{
    return cut->ranks - cut->stage - rank + 2 * (rank % cut->stage);
}

static int64_t pair_per_domain(const StratPlaces *places, int64_t a, int64_t b)
{
    int64_t size = places->cluster->node.scale_up_gpus;
    return strat_places_gpu(places, a) / size == strat_places_gpu(places, b) / size ? 2 : 1;
}

static double pair_weakest(const StratPlaces *places, int64_t a, int64_t b)
{
    return strat_places_weakest(places, &(StratGroup){a, b - a, 2});
}

static TopoKind pair_kind(const StratPlaces *places, int64_t a, int64_t b)
{
    return strat_places_group_kind(places, &(StratGroup){a, b - a, 2});
}

static void add_kinds(const StratPlaces *places, const StratPlan *plan, const Cut *cut,
                      int64_t rank, StratPosition *position)
{
    StratGroup data = strat_shard_group(plan, rank), copies = strat_copies_group(plan, rank);
    StratGroup same = strat_expert_data_group(plan, rank);
    int64_t first = rank % cut->stage;
    position->kind = strat_places_kind(places, rank);
    position->data_kind = strat_places_group_kind(places, &data);
    position->copies_kind = strat_places_group_kind(places, &copies);
    position->expert_data_kind = strat_places_group_kind(places, &same);
    position->ends_kind = pair_kind(places, first, first + cut->ranks - cut->stage);
    position->send_next_kind = pair_kind(places, rank, next_stage(cut, rank));
    position->send_previous_kind = pair_kind(places, rank, previous_stage(cut, rank));
}

StratPosition strat_position(const StratPlaces *places, const StratPlan *plan, int64_t rank)
{
    Cut cut = cut_of(plan);
    StratGroup tensor = strat_tensor_group(plan, rank), context = strat_context_group(plan, rank);
    StratGroup data = strat_shard_group(plan, rank), copies = strat_copies_group(plan, rank);
    StratGroup expert = strat_expert_group(plan, rank), same = strat_expert_data_group(plan, rank);
    StratGroup mirror = strat_mirror_group(plan, rank);
    int64_t first = rank % cut.stage;
    StratPosition position = {
        .tensor_per_domain = strat_group_per_domain(places->cluster, places->gpu_of_rank, &tensor),
        .context_per_domain =
            strat_group_per_domain(places->cluster, places->gpu_of_rank, &context),
        .data_per_domain = strat_group_per_domain(places->cluster, places->gpu_of_rank, &data),
        .copies_per_domain = strat_group_per_domain(places->cluster, places->gpu_of_rank, &copies),
        .expert_per_domain = strat_group_per_domain(places->cluster, places->gpu_of_rank, &expert),
        .expert_data_per_domain =
            strat_group_per_domain(places->cluster, places->gpu_of_rank, &same),
        .send_next_per_domain = pair_per_domain(places, rank, next_stage(&cut, rank)),
        .send_previous_per_domain = pair_per_domain(places, rank, previous_stage(&cut, rank)),
        .ends_per_domain = pair_per_domain(places, first, first + cut.ranks - cut.stage),
        .mirror_per_domain = strat_group_per_domain(places->cluster, places->gpu_of_rank, &mirror),
        .clock_fraction = strat_places_clock(places, rank),
        .tensor_nic_fraction = strat_places_weakest(places, &tensor),
        .context_nic_fraction = strat_places_weakest(places, &context),
        .data_nic_fraction = strat_places_weakest(places, &data),
        .copies_nic_fraction = strat_places_weakest(places, &copies),
        .mirror_nic_fraction = strat_places_weakest(places, &mirror),
        .expert_nic_fraction = strat_places_weakest(places, &expert),
        .expert_data_nic_fraction = strat_places_weakest(places, &same),
        .send_next_nic_fraction = pair_weakest(places, rank, next_stage(&cut, rank)),
        .send_previous_nic_fraction = pair_weakest(places, rank, previous_stage(&cut, rank)),
        .ends_nic_fraction = pair_weakest(places, first, first + cut.ranks - cut.stage),
    };
    if (places->cluster->mixed.gpus > 0)
        add_kinds(places, plan, &cut, rank, &position);
    return position;
}

/* Members of the group of @count ranks, @stride apart, that start at @first, in one domain; kept in
 * @known for the other members. */
static uint64_t group_colour(const StratPlaces *places, int64_t rank, StratGroup group,
                             uint64_t *known)
{
    if (group.first == rank)
        known[rank] =
            (uint64_t)strat_group_per_domain(places->cluster, places->gpu_of_rank, &group);
    return known[group.first];
}

static uint64_t bits(double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

/* What is worse about @rank's own GPU and NIC, and about the NICs of the groups within its gang: of
 * the gang and the data group the refinement sees to it that alike ranks have alike ones. */
static uint64_t state_colour(const StratPlaces *places, const StratPlan *plan, int64_t rank)
{
    StratGroup tensor = strat_tensor_group(plan, rank), context = strat_context_group(plan, rank);
    uint64_t hash = sim_hash_mix(bits(strat_places_clock(places, rank)));
    if (places->state->weak_count == 0)
        return hash;
    hash = combine(hash, bits(strat_places_nic(places, rank)));
    if (plan->expert > 0) {
        StratGroup expert = strat_expert_group(plan, rank);
        hash = combine(hash, bits(strat_places_weakest(places, &expert)));
    }
    hash = combine(hash, bits(strat_places_weakest(places, &tensor)));
    return combine(hash, bits(strat_places_weakest(places, &context)));
}

static uint64_t expert_colour(const StratPlaces *places, const StratPlan *plan, int64_t rank,
                              uint64_t hash, uint64_t *expert, uint64_t *copies)
{
    StratGroup group = strat_expert_group(plan, rank), same = strat_expert_data_group(plan, rank);
    hash = combine(hash, group_colour(places, rank, group, expert));
    return combine(hash, group_colour(places, rank, same, copies));
}

/* Colours of (stage, position, state): as strat_position(), each group looked at once. */
static uint64_t *first_colours(const StratPlaces *places, const StratPlan *plan, const Cut *cut)
{
    uint64_t *colour = g_new(uint64_t, cut->ranks);
    g_autofree uint64_t *tensor = g_new(uint64_t, cut->ranks);
    g_autofree uint64_t *context = g_new(uint64_t, cut->ranks);
    g_autofree uint64_t *data = g_new(uint64_t, cut->ranks);
    g_autofree uint64_t *expert = g_new(uint64_t, cut->ranks);
    g_autofree uint64_t *same = g_new(uint64_t, cut->ranks);
    g_autofree uint64_t *copies = g_new(uint64_t, cut->ranks);
    for (int64_t r = 0; r < cut->ranks; r++) {
        int64_t t = r % cut->tensor, end = r % cut->stage;
        StratGroup tensors = {r - t, 1, cut->tensor};
        StratGroup contexts = {r - r % cut->microbatch + t, cut->tensor, plan->context};
        StratGroup replicas = {shard_first(cut, r), cut->tensor, cut->shard};
        StratGroup others = {copies_first(cut, r), cut->tensor * cut->shard,
                             cut->inner / cut->shard};
        uint64_t hash = sim_hash_mix((uint64_t)(r / cut->stage));
        hash = combine(hash, group_colour(places, r, tensors, tensor));
        hash = combine(hash, group_colour(places, r, contexts, context));
        hash = combine(hash, group_colour(places, r, replicas, data));
        hash = combine(hash, group_colour(places, r, others, copies));
        hash = combine(hash, (uint64_t)pair_per_domain(places, r, next_stage(cut, r)));
        hash = combine(hash, (uint64_t)pair_per_domain(places, r, previous_stage(cut, r)));
        hash = combine(hash, (uint64_t)pair_per_domain(places, end, end + cut->ranks - cut->stage));
        if (cut->is_dual)
            hash = combine(hash, (uint64_t)pair_per_domain(places, r, mirror_of(cut, r)));
        hash = cut->expert > 0 ? expert_colour(places, plan, r, hash, expert, same) : hash;
        if (places->cluster->mixed.gpus > 0)
            hash = combine(hash, (uint64_t)strat_places_kind(places, r));
        if (places->dealt)
            hash = combine(hash, (uint64_t)places->dealt[strat_rank_at(plan, r).data]);
        colour[r] = places->state ? combine(hash, state_colour(places, plan, r)) : hash;
    }
    return colour;
}

uint64_t *strat_fold_colours(const StratPlaces *places, const StratPlan *plan)
{
    Cut cut = cut_of(plan);
    return first_colours(places, plan, &cut);
}

/* Adds the order-free sum of each group's colours to its members' next colours. */
static void add_groups(const Cut *cut, const uint64_t *colour, uint64_t *next, uint64_t *sum,
                       int64_t (*first_of)(const Cut *, int64_t))
{
    memset(sum, 0, (size_t)cut->ranks * sizeof *sum);
    for (int64_t r = 0; r < cut->ranks; r++)
        sum[first_of(cut, r)] += sim_hash_mix(colour[r]);
    for (int64_t r = 0; r < cut->ranks; r++)
        next[r] = combine(next[r], sum[first_of(cut, r)]);
}

/* Numbers the colours in order of first appearance; returns how many there are. */
static int64_t number_colours(const uint64_t *colour, int64_t ranks, uint32_t *class_of)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (int64_t r = 0; r < ranks; r++) {
        gpointer known = g_hash_table_lookup(seen, &colour[r]);
        if (!known) {
            known = GUINT_TO_POINTER(g_hash_table_size(seen) + 1);
            g_hash_table_insert(seen, (gpointer)&colour[r], known);
        }
        class_of[r] = GPOINTER_TO_UINT(known) - 1;
    }
    return g_hash_table_size(seen);
}

static int64_t refine(const StratPlaces *places, const StratPlan *plan, StratFold *fold)
{
    Cut cut = cut_of(plan);
    int64_t ranks = fold->ranks;
    g_autofree uint64_t *colour = first_colours(places, plan, &cut);
    g_autofree uint64_t *next = g_new(uint64_t, ranks);
    g_autofree uint64_t *sum = g_new(uint64_t, ranks);
    int64_t classes = number_colours(colour, ranks, fold->class_of);
    for (;;) {
        for (int64_t r = 0; r < ranks; r++) {
            next[r] = combine(colour[r], colour[next_stage(&cut, r)]);
            next[r] = combine(next[r], colour[previous_stage(&cut, r)]);
            next[r] = cut.is_dual ? combine(next[r], colour[mirror_of(&cut, r)]) : next[r];
        }
        add_groups(&cut, colour, next, sum, gang_first);
        add_groups(&cut, colour, next, sum, data_first);
        if (cut.shard < plan->data * plan->context) {
            add_groups(&cut, colour, next, sum, shard_first);
            add_groups(&cut, colour, next, sum, copies_first);
        }
        if (cut.expert > 0)
            add_groups(&cut, colour, next, sum, expert_data_first);
        int64_t now = number_colours(next, ranks, fold->class_of);
        if (now == classes)
            return classes;
        classes = now;
        memcpy(colour, next, (size_t)ranks * sizeof *colour);
    }
}

StratFold *strat_fold_new(const StratPlaces *places, const StratPlan *plan, bool enabled)
{
    StratFold *fold = g_new0(StratFold, 1);
    fold->ranks = strat_rank_count(plan);
    fold->class_of = g_new(uint32_t, fold->ranks);
    if (enabled) {
        fold->classes = refine(places, plan, fold);
    } else {
        fold->classes = fold->ranks;
        for (int64_t r = 0; r < fold->ranks; r++)
            fold->class_of[r] = (uint32_t)r;
    }
    fold->representative = g_new0(int64_t, fold->classes);
    fold->multiplicity = g_new0(int64_t, fold->classes);
    for (int64_t r = fold->ranks; r-- > 0;) {
        fold->representative[fold->class_of[r]] = r;
        fold->multiplicity[fold->class_of[r]]++;
    }
    return fold;
}

void strat_fold_free(StratFold *fold)
{
    if (!fold)
        return;
    g_free(fold->class_of);
    g_free(fold->representative);
    g_free(fold->multiplicity);
    g_free(fold);
}
