/* The parts under the schedulers: digest, cache, heap, curve, speculation, each against a slow and
 * plain way to say the same. */
#include <criterion/criterion.h>
#include <math.h>

#include "sim_random.h"
#include "strat_curve.h"
#include "strat_heap.h"
#include "strat_kv.h"
#include "strat_router.h"
#include "strat_scheduler.h"
#include "strat_sequence.h"
#include "strat_speculation.h"
#include "toy_serve.h"

enum {
    NUMBERS = 20000,
    HOLDERS = 12,
    OPERATIONS = 20000,
    PAGES = 5,
    PAGE_BLOCKS = 2,
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

Test(strat_digest, quantiles_are_those_of_the_sorted_numbers_within_a_thousandth)
{
    g_autoptr(StratDigest) digest = strat_digest_new();
    SimRandom stream = sim_random_stream(7, "digest");
    g_autofree double *numbers = g_new(double, NUMBERS);
    double sum = 0.0;
    for (int i = 0; i < NUMBERS; i++) {
        numbers[i] = exp(sim_random_normal(&stream, -4.0, 2.0));
        sum += numbers[i];
        strat_digest_add(digest, numbers[i], 1);
    }
    qsort(numbers, NUMBERS, sizeof *numbers, ascending);
    for (double f = 0.0; f <= 1.0; f += 0.0625) {
        double rank = f * (NUMBERS - 1);
        int low = (int)rank;
        int high = MIN(low + 1, NUMBERS - 1);
        double want = numbers[low] + (numbers[high] - numbers[low]) * (rank - low);
        cr_expect(fabs(strat_digest_quantile(digest, f) / want - 1.0) < 1e-3, "%g", f);
    }
    cr_expect_float_eq(strat_digest_mean(digest), sum / NUMBERS, 1e-12 * sum);
    cr_expect_float_eq(strat_digest_min(digest), numbers[0], 0.0);
    cr_expect_float_eq(strat_digest_max(digest), numbers[NUMBERS - 1], 0.0);
    cr_expect_float_eq(strat_digest_below(digest, numbers[NUMBERS / 4]), 0.25, 2e-3);
}

Test(strat_digest, a_series_is_its_terms)
{
    static const double steps[] = {1e-5, -1e-6, 0.0};
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(StratDigest) series = strat_digest_new();
        g_autoptr(StratDigest) terms = strat_digest_new();
        strat_digest_add_series(series, 0.01, steps[i], 3000, 7);
        for (int j = 0; j < 3000; j++)
            strat_digest_add(terms, 0.01 + steps[i] * j, 7);
        cr_expect_eq(strat_digest_count(series), 21000);
        cr_expect_float_eq(strat_digest_mean(series), strat_digest_mean(terms), 1e-12);
        for (double f = 0.0; f <= 1.0; f += 0.125)
            cr_expect_float_eq(strat_digest_quantile(series, f), strat_digest_quantile(terms, f),
                               1e-12, "step %g, %g", steps[i], f);
    }
}

Test(strat_digest, nothing_and_zero_are_fine)
{
    g_autoptr(StratDigest) digest = strat_digest_new();
    cr_expect_float_eq(strat_digest_quantile(digest, 0.5), 0.0, 0.0);
    strat_digest_add(digest, 0.0, 3);
    strat_digest_add(digest, 2.0, 1);
    cr_expect_float_eq(strat_digest_quantile(digest, 0.5), 0.0, 0.0);
    cr_expect_float_eq(strat_digest_quantile(digest, 1.0), 2.0, 0.0);
}

/* Somebody with private blocks and the first pages of one of two texts. */
typedef struct Holder {
    uint64_t page[PAGES];
    int64_t held, blocks;
} Holder;

static int64_t used_blocks(const Holder *holder)
{
    bool seen[2][PAGES] = {{false}};
    int64_t used = 0;
    for (int i = 0; i < HOLDERS; i++)
        used += holder[i].blocks;
    for (int i = 0; i < HOLDERS; i++)
        for (int64_t j = 0; j < holder[i].held; j++)
            seen[i % 2][j] = true;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < PAGES; j++)
            used += seen[i][j] ? PAGE_BLOCKS : 0;
    return used;
}

static void name_pages(Holder *holder, int text)
{
    for (int i = 0; i < PAGES; i++)
        holder->page[i] = (uint64_t)(1000 + text * 100 + i);
}

/* Starts @holder anew: cached pages are held, up to @pages are computed. */
static void begin(StratKv *kv, Holder *holder, int text, int64_t pages)
{
    int64_t idle;
    name_pages(holder, text);
    int64_t cached = MIN(strat_kv_match(kv, holder->page, PAGES, &idle), pages);
    for (holder->held = 0; holder->held < cached; holder->held++)
        strat_kv_hold(kv, &holder->page[holder->held]);
    while (holder->held < pages && strat_kv_take(kv, PAGE_BLOCKS))
        strat_kv_publish(kv, &holder->page[holder->held++]);
}

Test(strat_kv, blocks_are_private_or_in_held_pages_or_free_whatever_happens)
{
    enum { BLOCKS = 40 };
    g_autoptr(StratKv) kv = strat_kv_new(BLOCKS, 16, 16 * PAGE_BLOCKS);
    SimRandom stream = sim_random_stream(3, "kv");
    Holder holder[HOLDERS] = {0};
    g_autoptr(GError) error = NULL;
    int64_t refused = 0;
    for (int i = 0; i < OPERATIONS; i++) {
        int at = (int)sim_random_below(&stream, HOLDERS);
        Holder *h = &holder[at];
        if (sim_random_below(&stream, 3) == 0) {
            strat_kv_release(kv, h->page, h->held, h->blocks);
            h->held = h->blocks = 0;
            begin(kv, h, at % 2, (int64_t)sim_random_below(&stream, PAGES + 1));
        } else {
            int64_t blocks = (int64_t)sim_random_below(&stream, 4);
            bool taken = strat_kv_take(kv, blocks);
            h->blocks += taken ? blocks : 0;
            refused += !taken;
        }
        cr_assert_eq(strat_kv_available(kv), BLOCKS - used_blocks(holder), "operation %d", i);
        cr_assert(strat_kv_is_sound(kv, &error), "operation %d: %s", i,
                  error ? error->message : "");
    }
    cr_expect_gt(refused, 100, "a full cache was hardly met");
    /* The sum sees a block that somebody keeps for himself. */
    strat_kv_release(kv, holder[0].page, holder[0].held, holder[0].blocks);
    holder[0].held = holder[0].blocks = 0;
    while (!strat_kv_take(kv, 1)) {
        strat_kv_give(kv, holder[1].blocks);
        holder[1].blocks = 0;
    }
    cr_expect_neq(strat_kv_available(kv), BLOCKS - used_blocks(holder));
}

Test(strat_kv, the_longest_unused_goes_first_and_of_a_chain_its_end)
{
    g_autoptr(StratKv) kv = strat_kv_new(8, 16, 32);
    Holder a = {0};
    Holder b = {0};
    int64_t idle;
    begin(kv, &a, 0, 2);
    begin(kv, &b, 1, 2);
    strat_kv_release(kv, a.page, 2, 0);
    strat_kv_release(kv, b.page, 2, 0);
    cr_expect_eq(strat_kv_available(kv), 8);
    cr_assert(strat_kv_take(kv, 1)); /* the second page of a goes */
    cr_expect_eq(strat_kv_match(kv, a.page, 2, &idle), 1);
    cr_expect_eq(strat_kv_match(kv, b.page, 2, &idle), 2);
    cr_expect_eq(idle, 2);
    cr_assert(strat_kv_take(kv, 1)); /* its other block, nobody else's */
    cr_expect_eq(strat_kv_match(kv, a.page, 2, &idle), 1);
    strat_kv_hold(kv, &a.page[0]); /* used again: the next to go is of b */
    cr_assert(strat_kv_take(kv, 1));
    cr_expect_eq(strat_kv_match(kv, b.page, 2, &idle), 1);
}

Test(strat_heap, items_leave_in_order_and_from_any_place)
{
    enum { ITEMS = 500 };
    StratHeap heap = {0};
    size_t place[ITEMS];
    bool in[ITEMS] = {false};
    SimRandom stream = sim_random_stream(5, "heap");
    StratFine key[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        key[i] = (StratFine)sim_random_below(&stream, 1000) * ITEMS + i;
        strat_heap_push(&heap, key[i], &key[i], &place[i]);
        in[i] = true;
    }
    for (int i = 0; i < ITEMS; i += 3) {
        strat_heap_remove(&heap, place[i]);
        in[i] = false;
    }
    StratFine last = -1;
    for (const StratHeapItem *top; (top = strat_heap_top(&heap)); strat_heap_remove(&heap, 0)) {
        int i = (int)((StratFine *)top->item - key);
        cr_expect(top->key > last && in[i]);
        last = top->key;
        in[i] = false;
    }
    for (int i = 0; i < ITEMS; i++)
        cr_expect(!in[i]);
    strat_heap_clear(&heap);
}

static StratDecodeLoad load_of(int64_t count, int64_t context, int64_t longest)
{
    return (StratDecodeLoad){
        .count = count,
        .sum = (count * context) << STRAT_TOKEN_BITS,
        .growth = count << STRAT_TOKEN_BITS,
        .longest = longest << STRAT_TOKEN_BITS,
        .longest_growth = INT64_C(1) << STRAT_TOKEN_BITS,
    };
}

/* T = 1 ms + 2e-12 s c^2: as bent as a price gets. */
static void bent(const StratPricer *pricer, const StratBatch *batch, StratIteration *out)
{
    (void)pricer;
    *out = (StratIteration){0};
    out->seconds = 1e-3 + 2e-12 * batch->context * batch->context;
    out->part_s[STRAT_SERVE_DECODE] = out->seconds;
}

Test(strat_curve, a_bent_price_is_met_within_two_thousandths)
{
    StratPricer pricer = {.price = bent};
    g_autoptr(StratCurve) curve = strat_curve_new(&pricer, 1);
    for (int64_t context = 1; context < 1000000; context += 1 + context / 7) {
        StratDecodeLoad load = load_of(3, context, context);
        StratStretch stretch = strat_curve_stretch(curve, &load, 1);
        double want_s = 1e-3 + 2e-12 * (double)context * (double)context;
        cr_expect(fabs(strat_fine_seconds(stretch.first) / want_s - 1.0) < 2e-3, "%ld", context);
    }
}

Test(strat_curve, sums_of_runs_are_sums_of_iterations_to_the_last_bit)
{
    ToyPricer pricer = toy_pricer(3e-3, 1e-5, 3e-8);
    pricer.skew_s = 1e-8;
    g_autoptr(StratCurve) curve = strat_curve_new(&pricer.base, 1);
    StratDecodeLoad load = load_of(7, 100, 900);
    for (int64_t left = 5000; left > 0;) {
        StratStretch run = strat_curve_stretch(curve, &load, left);
        cr_assert(run.count >= 1 && run.count <= left);
        StratFine sum = 0;
        for (int64_t i = 0; i < run.count; i++) {
            sum += strat_curve_stretch(curve, &load, 1).first;
            cr_assert(strat_stretch_time(&run, i + 1) == sum, "iteration %ld of a run", i);
            cr_assert_eq(strat_stretch_reach(&run, sum), i + 1);
            cr_assert_eq(strat_stretch_reach(&run, sum + 1), i + 2);
            load.sum += load.growth;
            load.longest += load.longest_growth;
        }
        left -= run.count;
    }
    cr_expect_lt(strat_curve_knots(curve), 500);
}

Test(strat_speculation, as_many_tokens_as_leviathan_says)
{
    StratSpeculation chain = {.tokens = 4, .acceptance = 0.8};
    double want = (1.0 - pow(0.8, 5)) / (1.0 - 0.8);
    cr_expect_float_eq(strat_speculation_expected(&chain), want, 1e-12);
    double steps = (double)strat_speculation_steps(&chain, 1, 0, 0, 1000000);
    cr_expect(fabs(1e6 / steps / want - 1.0) < 5e-3, "%g of %g", 1e6 / steps, want);
    static const double by_position[] = {0.9, 0.5};
    StratSpeculation listed = {.tokens = 2, .by_position = by_position, .positions = 2};
    cr_expect_float_eq(strat_speculation_expected(&listed), 1.0 + 0.9 + 0.45, 1e-12);
    StratSpeculation none = {0};
    cr_expect_eq(strat_speculation_steps(&none, 1, 0, 0, 17), 17);
    cr_expect_eq(strat_speculation_width(&none), 1);
}

Test(strat_rows, names_are_found_and_unknown_ones_named)
{
    g_autoptr(GError) error = NULL;
    cr_expect_not_null(strat_scheduler_by_name("vllm-v1", NULL));
    cr_expect_null(strat_scheduler_by_name("vllm-v9", &error));
    cr_expect_not_null(strstr(error->message, "vllm-v1"));
    g_clear_error(&error);
    cr_expect_str_eq(strat_router_by_name(NULL, NULL)->name, "round-robin");
    cr_expect_null(strat_router_by_name("nearest", &error));
    cr_expect_not_null(strstr(error->message, "kv-aware"));
}
