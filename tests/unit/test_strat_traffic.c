/* Generated traffic as a source: order, ends, closed loops, conversations and their pages,
 * independence of the streams. */
#include "strat_traffic.h"
#include "strat_traffic_shares.h"

#include <criterion/criterion.h>
#include <math.h>

static const StratTraffic plain = {
    .arrivals = {.kind = STRAT_ARRIVALS_POISSON, .rate_per_s = 10.0},
    .requests = 500,
    .input = {.kind = STRAT_LENGTH_LOGNORMAL,                              .mean = 700.0, .sigma = 1.0},
    .output = {.mean = 100.0},
};

static const StratTraffic chat = {
    .arrivals = {.kind = STRAT_ARRIVALS_POISSON, .rate_per_s = 1.0},
    .requests = 400,
    .input = {.kind = STRAT_LENGTH_UNIFORM,   .least = 5,        .most = 60},
    .output = {.kind = STRAT_LENGTH_GEOMETRIC,                              .mean = 30.0                 },
    .sessions = true,
    .turns = {.kind = STRAT_LENGTH_UNIFORM,                              .least = 1,   .most = 6},
    .turn_think = {.mean_s = 4.0,                     .exponential = true                                   },
    .system_tokens = 100,
    .shared_fraction = 0.5,
    .page_tokens = 16,
};

/* Answers each request @service after it arrived, in order, and gives all of them; their pages are
 * appended to @pages when that is not NULL, those of request i from g_array_index(first, i). */
static GArray *run(const StratTraffic *spec, uint64_t seed, SimTime service, GArray *pages)
{
    g_autoptr(StratSource) source = strat_traffic_new(spec, seed);
    GArray *all = g_array_new(FALSE, FALSE, sizeof(StratRequest));
    size_t answered = 0;
    for (;;) {
        const StratRequest *next = source->peek(source);
        const StratRequest *oldest =
            answered < all->len ? &g_array_index(all, StratRequest, answered) : NULL;
        if (!next && !oldest)
            return all;
        if (!oldest || (next && next->arrival_ns <= oldest->arrival_ns + service)) {
            StratRequest kept = *next;
            if (pages)
                g_array_append_vals(pages, next->page, (guint)next->pages);
            g_array_append_val(all, kept);
            source->take(source);
        } else {
            source->done(source, oldest->id, oldest->session, oldest->arrival_ns + service);
            answered++;
        }
    }
}

#define REQUEST(all, i) g_array_index(all, StratRequest, i)

Test(strat_traffic, requests_are_numbered_in_order_and_end)
{
    g_autoptr(GArray) all = run(&plain, 1, SIM_TIME_SECOND, NULL);
    cr_assert_eq(all->len, 500);
    for (guint i = 0; i < all->len; i++) {
        cr_expect_eq(REQUEST(all, i).id, (int64_t)i);
        cr_expect(i == 0 || REQUEST(all, i).arrival_ns >= REQUEST(all, i - 1).arrival_ns);
        cr_expect(REQUEST(all, i).input_tokens >= 1);
        cr_expect_eq(REQUEST(all, i).output_tokens, 100);
        cr_expect_eq(REQUEST(all, i).session, -1);
        cr_expect_eq(REQUEST(all, i).adapter, -1);
        cr_expect_eq(REQUEST(all, i).pages, 0);
    }
    StratTraffic timed = plain;
    timed.requests = 0;
    timed.duration_s = 20.0;
    g_autoptr(GArray) some = run(&timed, 1, SIM_TIME_SECOND, NULL);
    cr_expect(some->len > 130 && some->len < 270, "%u", some->len); /* 200 +- 4 sqrt(200) */
    cr_expect(REQUEST(some, some->len - 1).arrival_ns < 20 * SIM_TIME_SECOND);
}

Test(strat_traffic, other_lengths_leave_the_arrivals_alone)
{
    StratTraffic other = plain;
    other.output = (StratLength){.kind = STRAT_LENGTH_LOGNORMAL, .mean = 50.0, .sigma = 2.0};
    g_autoptr(GArray) a = run(&plain, 9, SIM_TIME_SECOND, NULL);
    g_autoptr(GArray) b = run(&other, 9, 7 * SIM_TIME_SECOND, NULL);
    g_autoptr(GArray) c = run(&plain, 10, SIM_TIME_SECOND, NULL);
    bool same_seed_differs = false, other_seed_differs = false;
    for (guint i = 0; i < a->len; i++) {
        cr_assert_eq(REQUEST(a, i).arrival_ns, REQUEST(b, i).arrival_ns);
        cr_assert_eq(REQUEST(a, i).input_tokens, REQUEST(b, i).input_tokens);
        same_seed_differs |= REQUEST(a, i).output_tokens != REQUEST(b, i).output_tokens;
        other_seed_differs |= REQUEST(a, i).arrival_ns != REQUEST(c, i).arrival_ns;
    }
    cr_expect(same_seed_differs && other_seed_differs);
}

Test(strat_traffic, inputs_outputs_and_gaps_are_independent)
{
    StratTraffic even = plain;
    even.requests = 2000;
    even.input = even.output =
        (StratLength){.kind = STRAT_LENGTH_UNIFORM, .least = 1, .most = 1000};
    g_autoptr(GArray) all = run(&even, 2, SIM_TIME_SECOND, NULL);
    double with_output = 0.0, with_gap = 0.0;
    for (guint i = 1; i < all->len; i++) {
        double gap_s = sim_time_to_seconds(REQUEST(all, i).arrival_ns) -
                       sim_time_to_seconds(REQUEST(all, i - 1).arrival_ns);
        double input = (REQUEST(all, i).input_tokens - 500.5) / (1000.0 / sqrt(12.0));
        with_output += input * (REQUEST(all, i).output_tokens - 500.5) / (1000.0 / sqrt(12.0));
        with_gap += input * (gap_s - 0.1) / 0.1;
    }
    /* correlations: four standard errors of 1 / sqrt(n) */
    cr_expect(fabs(with_output / 2000.0) < 4.0 / sqrt(2000.0), "%g", with_output / 2000.0);
    cr_expect(fabs(with_gap / 2000.0) < 4.0 / sqrt(2000.0), "%g", with_gap / 2000.0);
}

Test(strat_traffic, a_closed_loop_has_its_users_and_no_more)
{
    StratTraffic loop = plain;
    loop.arrivals = (StratArrivals){.kind = STRAT_ARRIVALS_CLOSED_LOOP, .concurrency = 7};
    loop.think = (StratThink){.mean_s = 0.5, .exponential = true};
    g_autoptr(StratSource) source = strat_traffic_new(&loop, 4);
    SimRandom order = sim_random_stream(4, "test");
    int64_t flying[7], taken = 0;
    size_t count = 0, most = 0;
    SimTime now = 0;
    for (;;) {
        const StratRequest *next = source->peek(source);
        if (next && next->arrival_ns <= now) {
            cr_assert(count < 7, "request %" G_GINT64_FORMAT " is one too many", next->id);
            flying[count++] = next->id;
            most = MAX(most, count);
            taken++;
            source->take(source);
            continue;
        }
        if (count == 0 && !next)
            break;
        now += SIM_TIME_SECOND / 10;
        if (count > 0) {
            size_t which = sim_random_below(&order, count);
            source->done(source, flying[which], -1, now);
            flying[which] = flying[--count];
        }
    }
    cr_expect_eq(most, 7);
    cr_expect_eq(taken, 500);
}

Test(strat_traffic, a_closed_loop_without_thought_never_pauses)
{
    StratTraffic loop = plain;
    loop.requests = 5;
    loop.arrivals = (StratArrivals){.kind = STRAT_ARRIVALS_CLOSED_LOOP, .concurrency = 1};
    g_autoptr(GArray) all = run(&loop, 4, SIM_TIME_SECOND, NULL);
    cr_assert_eq(all->len, 5);
    for (guint i = 0; i < 5; i++)
        cr_expect_eq(REQUEST(all, i).arrival_ns, i * SIM_TIME_SECOND);
    loop.think.mean_s = 0.25;
    g_autoptr(GArray) slow = run(&loop, 4, SIM_TIME_SECOND, NULL);
    for (guint i = 0; i < 5; i++)
        cr_expect_eq(REQUEST(slow, i).arrival_ns, i * (SIM_TIME_SECOND + SIM_TIME_SECOND / 4));
}

/* Tokens that two texts have in common: all of the shorter one within a conversation, the system
 * prompt between two that start with it. */
static int64_t common_tokens(const StratRequest *a, const StratRequest *b, const bool *shared)
{
    int64_t length = MIN(a->input_tokens + a->output_tokens, b->input_tokens + b->output_tokens);
    if (a->session == b->session)
        return length;
    return shared[a->session] && shared[b->session] ? MIN(length, chat.system_tokens) : 0;
}

Test(strat_traffic, pages_are_shared_exactly_as_the_text_is)
{
    g_autoptr(GArray) pages = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) all = run(&chat, 3, 2 * SIM_TIME_SECOND, pages);
    cr_assert_eq(all->len, 400);
    g_autofree bool *shared = g_new0(bool, all->len);
    g_autofree int64_t *last = g_new0(int64_t, all->len);
    g_autofree size_t *first = g_new0(size_t, all->len + 1);
    for (guint i = 0; i < all->len; i++) {
        const StratRequest *request = &REQUEST(all, i);
        int64_t text = last[request->session];
        if (text == 0)
            shared[request->session] = request->input_tokens >= 105; /* else at most 60 */
        int64_t added = request->input_tokens - (text ? text : shared[request->session] ? 100 : 0);
        cr_assert(added >= 5 && added <= 60, "%" G_GINT64_FORMAT, added);
        last[request->session] = request->input_tokens + request->output_tokens;
        first[i + 1] = first[i] + request->pages;
        cr_assert_eq((int64_t)request->pages, last[request->session] / 16);
    }
    size_t within = 0, across = 0;
    for (guint i = 0; i < all->len; i++) {
        for (guint j = 0; j < i; j++) {
            const StratRequest *a = &REQUEST(all, i), *b = &REQUEST(all, j);
            size_t want = (size_t)common_tokens(a, b, shared) / 16, got = 0;
            while (got < MIN(a->pages, b->pages) &&
                   g_array_index(pages, uint64_t, first[i] + got) ==
                       g_array_index(pages, uint64_t, first[j] + got))
                got++;
            cr_assert_eq(got, want, "requests %u and %u: %zu pages, not %zu", i, j, got, want);
            within += want > 0 && a->session == b->session;
            across += want > 0 && a->session != b->session;
        }
    }
    cr_expect(within > 100 && across > 100);
}

Test(strat_traffic, a_turn_comes_after_the_answer_and_the_thought)
{
    g_autoptr(GArray) all = run(&chat, 3, 2 * SIM_TIME_SECOND, NULL);
    g_autofree SimTime *answered = g_new0(SimTime, all->len);
    double thought = 0.0;
    int thoughts = 0;
    for (guint i = 0; i < all->len; i++) {
        const StratRequest *request = &REQUEST(all, i);
        SimTime before = answered[request->session];
        cr_assert(before <= request->arrival_ns);
        if (before > 0) {
            thought += sim_time_to_seconds(request->arrival_ns - before);
            thoughts++;
        }
        answered[request->session] = request->arrival_ns + 2 * SIM_TIME_SECOND;
    }
    cr_assert(thoughts > 200);
    cr_expect(fabs(thought / thoughts - 4.0) < 4.0 * 4.0 / sqrt(thoughts), "%g",
              thought / thoughts);
}

Test(strat_traffic, a_conversation_does_not_depend_on_the_speed_of_the_answers)
{
    g_autoptr(GArray) fast = run(&chat, 3, SIM_TIME_SECOND / 10, NULL);
    g_autoptr(GArray) slow = run(&chat, 3, 20 * SIM_TIME_SECOND, NULL);
    int64_t turn_fast[64] = {0}, turn_slow[64] = {0};
    for (guint i = 0; i < fast->len; i++)
        if (REQUEST(fast, i).session == 5)
            turn_fast[turn_fast[0] += 1] = REQUEST(fast, i).input_tokens;
    for (guint i = 0; i < slow->len; i++)
        if (REQUEST(slow, i).session == 5)
            turn_slow[turn_slow[0] += 1] = REQUEST(slow, i).input_tokens;
    cr_expect_eq(turn_fast[0], turn_slow[0]);
    cr_expect_arr_eq(turn_fast, turn_slow, sizeof turn_fast);
}

Test(strat_traffic, conversations_end_before_they_outgrow_the_context)
{
    StratTraffic short_chat = chat;
    short_chat.turns = (StratLength){.mean = 1000.0};
    short_chat.max_context = 500;
    short_chat.requests = 3000;
    g_autoptr(GArray) all = run(&short_chat, 6, SIM_TIME_SECOND, NULL);
    int64_t longest = 0;
    for (guint i = 0; i < all->len; i++)
        longest = MAX(longest, REQUEST(all, i).input_tokens + REQUEST(all, i).output_tokens);
    cr_expect(longest <= 500 && longest > 450, "%" G_GINT64_FORMAT, longest);
}

Test(strat_traffic, priorities_and_adapters_follow_their_weights)
{
    double priorities[] = {1.0, 4.0}, adapters[100];
    strat_shares_zipf(adapters, 100, 1.0);
    StratTraffic mixed = plain;
    mixed.requests = 20000;
    mixed.priorities = priorities;
    mixed.priority_count = 2;
    mixed.adapters = adapters;
    mixed.adapter_count = 100;
    g_autoptr(GArray) all = run(&mixed, 8, 1, NULL);
    int high = 0, popular = 0, second = 0;
    for (guint i = 0; i < all->len; i++) {
        high += REQUEST(all, i).priority == 0;
        popular += REQUEST(all, i).adapter == 0;
        second += REQUEST(all, i).adapter == 1;
        cr_assert(REQUEST(all, i).adapter >= 0 && REQUEST(all, i).adapter < 100);
    }
    double first = 20000.0 / adapters[99];
    cr_expect(fabs(high - 5000.0) < 4.0 * sqrt(3750.0), "%d", high);
    cr_expect(fabs(popular - first) < 4.0 * sqrt(first), "%d, not %g", popular, first);
    cr_expect(fabs(second - first / 2.0) < 4.0 * sqrt(first / 2.0), "%d", second);
}
