/** Orrery as a library: a scenario in, its answer out.
 *
 *      OrreryRequest request = {.size = sizeof(request), .path = "scenarios/quickstart.yaml"};
 *      OrreryRun *run = orrery_run(&request);
 *      double step_s;
 *      if (orrery_run_figure(run, "training.step_time_s", &step_s))
 *          printf("%.3f s\n", step_s);
 *      else
 *          fprintf(stderr, "%s\n", orrery_run_message(run));
 *      orrery_run_free(run);
 *
 *  Runs share nothing, so any number may go on at once, each on a thread of its own. The same request
 *  gives the same answer, byte for byte. Build with `pkg-config --cflags --libs orrery`. */
#ifndef ORRERY_H
#define ORRERY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ORRERY_API __attribute__((visibility("default")))
#else
#define ORRERY_API
#endif

/** What came of a run; the numbers are the program's exit statuses. */
typedef enum OrreryStatus {
    ORRERY_OK = 0, /* done, it fits and keeps its objectives */
    ORRERY_NO = 1, /* done, and the answer is no: does not fit, or misses its objectives */
    ORRERY_WRONG =
        2, /* the scenario is wrong: orrery_run_message() says where and what is accepted */
    ORRERY_FAULT = 3, /* a fault of Orrery's own, or of its data folder */
} OrreryStatus;

/** What to run. Everything is borrowed during the call; what is NULL or 0 is not asked for. */
typedef struct OrreryRequest {
    size_t size;       /* sizeof(OrreryRequest), by which later versions know this one */
    const char *path;  /* the scenario's file; with @yaml, what messages call it */
    const char *yaml;  /* its text, instead of the file's; relative paths start at @path's folder */
    size_t yaml_bytes; /* length of @yaml; 0: up to its NUL */
    const char *const *sets; /* NULL-terminated "plan.tensor=4" texts, as --set takes them */
    bool text;               /* the report for a person as well */
    const char *out;         /* a folder that takes the report, result.json, tables and timeline */
    const char *trace;       /* a file that takes the timeline as Chrome trace events */
    const char *report;      /* a file that takes the report as one HTML page */
} OrreryRequest;

typedef struct OrreryRun OrreryRun;

/** The library's version, "0.1.0". */
ORRERY_API const char *orrery_version(void);

/** Simulates what @request says. Never NULL; free it with orrery_run_free(). Ends the process only
 *  when memory runs out. */
ORRERY_API OrreryRun *orrery_run(const OrreryRequest *request);

/** Finds every fault of the scenario that @request names, without running it: then status OK or
 *  WRONG, and no figures. */
ORRERY_API OrreryRun *orrery_check(const OrreryRequest *request);

ORRERY_API OrreryStatus orrery_run_status(const OrreryRun *run);

/** Why there is no answer, a fault a line, each with its place; NULL when there is one. Lives as long
 *  as @run, as do the texts below. */
ORRERY_API const char *orrery_run_message(const OrreryRun *run);

/** The answer as JSON (schema 1), NULL when there is none. */
ORRERY_API const char *orrery_run_json(const OrreryRun *run);

/** The report as text, NULL when it was not asked for. */
ORRERY_API const char *orrery_run_text(const OrreryRun *run);

/** Fills @value with the figure @path, dotted as in the JSON: "training.step_time_s",
 *  "memory.0.peak_bytes". False when the answer has no such number. */
ORRERY_API bool orrery_run_figure(const OrreryRun *run, const char *path, double *value);

/** How many figures there are, and the path and value of figure @i (from 0, in the JSON's order);
 *  NULL and 0 beyond them. */
ORRERY_API size_t orrery_run_figure_count(const OrreryRun *run);
ORRERY_API const char *orrery_run_figure_path(const OrreryRun *run, size_t i);
ORRERY_API double orrery_run_figure_value(const OrreryRun *run, size_t i);

/** Frees @run, which may be NULL. */
ORRERY_API void orrery_run_free(OrreryRun *run);

#ifdef __cplusplus
}
#endif

#endif
