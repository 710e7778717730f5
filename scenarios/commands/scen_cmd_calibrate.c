/* `orrery calibrate`: measures this CPU and writes it as a device.
 *
 * Rounds over all tasks until the time is up, at least one; then the fit. The file is checked
 * before the first measurement, so that nobody waits a minute for a refusal. The bar is drawn on
 * stderr and only on a terminal. */
#include "scen_cmd.h"

#include "kern_host_fit.h"
#include "scen_host_yaml.h"
#include "scen_options.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR = 30 };

typedef struct Request {
    char *out;
    gboolean quick, thorough;
    gint threads;
    double seconds;
} Request;

/* How long a mode measures, and the largest product that it can afford. A round over products of
 * up to a GFLOP takes a few seconds a core. */
typedef struct Mode {
    const char *name;
    double seconds;
    double largest_flop;
} Mode;

static const Mode quick = {"--quick", 45.0, 1.3e9};
static const Mode thorough = {"--thorough", 420.0, 3e10};
static const double SHORT_S = 15.0; /* less time than this affords small products only */
static const double SHORT_FLOP = 7e7;
static const double CALM_LEAST = 1.0 / 3.0; /* of the time; below, the user is told */

static const ScenUsage usage = {
    .command = "calibrate",
    .arguments = "",
    .summary =
        "Measures this CPU: matrix products through OpenBLAS, the loops of a transformer, memory\n"
        "bandwidth. Writes the device host-cpu as YAML, which a scenario names under 'devices:'.",
};

static Mode mode_of(const Request *request)
{
    Mode mode = request->thorough ? thorough : quick;
    if (request->seconds > 0.0) {
        mode = (Mode){"--seconds", request->seconds, quick.largest_flop};
        if (request->seconds < SHORT_S)
            mode.largest_flop = SHORT_FLOP;
    }
    return mode;
}

static void draw(double share, const char *what)
{
    if (!isatty(STDERR_FILENO))
        return;
    int full = (int)(BAR * CLAMP(share, 0.0, 1.0));
    fprintf(stderr, "\rcalibrating [%.*s%.*s] %3.0f %%  %-9s", full,
            "##############################", BAR - full, "..............................",
            100.0 * CLAMP(share, 0.0, 1.0), what);
}

static void clear(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static double wall_s(void)
{
    return 1e-6 * (double)g_get_monotonic_time();
}

/* Returns how long it took. */
static double measure(KernHostBench *bench, double seconds)
{
    static const char *const names[] = {
        [KERN_HOST_PRODUCT] = "products",
        [KERN_HOST_LOOP] = "loops",
        [KERN_HOST_STREAM] = "bandwidth",
    };
    double start = wall_s(), passed = 0.0;
    size_t count = kern_host_bench_count(bench);
    for (size_t i = 0; i < count || passed < seconds; i++) {
        draw(passed / seconds, names[kern_host_bench_task(bench, i % count)->kind]);
        kern_host_bench_sample(bench, i % count);
        passed = wall_s() - start;
    }
    kern_host_bench_settle(bench);
    clear();
    return passed;
}

/* Complains when @path cannot be written; leaves it as it was. */
static bool is_writable(const char *path, GError **error)
{
    bool existed = g_file_test(path, G_FILE_TEST_EXISTS);
    FILE *file = fopen(path, "ab");
    if (!file) {
        int reason = errno;
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(reason),
                    "'%s' cannot be written: %s", path, g_strerror(reason));
        return false;
    }
    fclose(file);
    if (!existed)
        unlink(path);
    return true;
}

static bool write_out(const Request *request, const char *text, GError **error)
{
    if (request->out)
        return g_file_set_contents(request->out, text, -1, error);
    fputs(text, stdout);
    return true;
}

static void summarise(const Request *request, const KernHostFit *fit, double calm)
{
    const KernHostGemmFit *w = &fit->weights[TOPO_DTYPE_FP32];
    const KernHostGemmFit *a = &fit->activations[TOPO_DTYPE_FP32];
    if (!request->out)
        return;
    printf("%s: products %.1f GFLOP/s in fp32 on %" G_GINT64_FORMAT " thread%s\n", request->out,
           w->flop_per_s * 1e-9, fit->threads, fit->threads > 1 ? "s" : "");
    printf("fit errors: weights median %.1f %%, p90 %.1f %%; activations median %.1f %%, "
           "p90 %.1f %%\n",
           100.0 * w->median_error_fraction, 100.0 * w->p90_error_fraction,
           100.0 * a->median_error_fraction, 100.0 * a->p90_error_fraction);
    printf("the machine was calm for %.0f %% of the time%s\n", 100.0 * calm,
           calm < CALM_LEAST ? ": calibrate again when less runs on it" : "");
}

static bool calibrate(const Request *request, GError **error)
{
    KernHostMachine machine;
    kern_host_machine_read(&machine);
    if (request->out && !is_writable(request->out, error))
        return false;
    if (!kern_host_machine_confine(&machine, request->threads, error))
        return false;
    g_autoptr(KernHostBlas) blas = kern_host_blas_open(request->threads, error);
    if (!blas)
        return false;
    Mode mode = mode_of(request);
    g_autoptr(KernHostBench) bench =
        kern_host_bench_new(blas, &machine, request->threads, mode.largest_flop);
    kern_host_bench_reference_s(bench); /* the library starts its threads with the first product */
    kern_host_machine_pin(&machine, request->threads);
    KernHostFit fit;
    double measured_s = measure(bench, mode.seconds);
    kern_host_fit_bench(bench, request->threads, &fit);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(now, "%Y-%m-%d");
    ScenHostReport report = {.machine = &machine,
                             .blas = blas,
                             .bench = bench,
                             .fit = &fit,
                             .threads = request->threads,
                             .measured_s = measured_s,
                             .mode = mode.name,
                             .date = date};
    g_autofree char *text = scen_host_yaml(&report);
    if (!write_out(request, text, error))
        return false;
    summarise(request, &fit, kern_host_bench_calm_fraction(bench));
    return true;
}

static ScenExit complain(const GError *error)
{
    fprintf(stderr, "orrery calibrate: %s\n", error->message);
    return SCEN_EXIT_WRONG;
}

ScenExit scen_cmd_calibrate(int argc, char **argv)
{
    (void)argc;
    Request request = {.threads = 1, .seconds = 0.0};
    char **rest = NULL;
    /* clang-format off */
    const GOptionEntry entries[] = {
        {"quick", 0, 0, G_OPTION_ARG_NONE, &request.quick,
         "Under a minute (the default)", NULL},
        {"thorough", 0, 0, G_OPTION_ARG_NONE, &request.thorough,
         "Seven minutes and more: larger products, more samples", NULL},
        {"seconds", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_DOUBLE, &request.seconds,
         "How long to measure", "S"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &request.threads,
         "Threads, each pinned to a CPU of its own (default: 1)", "N"},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &request.out,
         "Write to FILE instead of stdout", "FILE"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL},
        {0},
    };
    /* clang-format on */
    ScenExit status;
    if (scen_options_parse(&usage, entries, argv, &status)) {
        g_autoptr(GError) error = NULL;
        if (rest)
            status = scen_options_wrong(&usage, "unexpected argument '%s'", rest[0]);
        else if (request.quick && request.thorough)
            status = scen_options_wrong(&usage, "--quick or --thorough, not both");
        else if (request.threads < 1)
            status = scen_options_wrong(&usage, "--threads takes 1 or more");
        else if (!(request.seconds >= 0.0 && request.seconds <= 36000.0))
            status = scen_options_wrong(&usage, "--seconds takes 0 to 36000");
        else
            status = calibrate(&request, &error) ? SCEN_EXIT_OK : complain(error);
    }
    g_strfreev(rest);
    g_free(request.out);
    return status;
}
