/* How long a step of a scenario takes with microbatches of 1, 2, 4 and 8 sequences:
 *
 *      cc microbatches.c $(pkg-config --cflags --libs orrery) -o microbatches
 *      ./microbatches scenarios/quickstart.yaml */
#include <orrery.h>
#include <stdio.h>

static const char *const sizes[] = {"plan.micro_batch=1", "plan.micro_batch=2",
                                    "plan.micro_batch=4", "plan.micro_batch=8"};

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SCENARIO.yaml\n", argv[0]);
        return ORRERY_WRONG;
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const char *sets[] = {sizes[i], NULL};
        OrreryRequest request = {.size = sizeof(request), .path = argv[1], .sets = sets};
        OrreryRun *run = orrery_run(&request);
        double step_s = 0.0;
        if (orrery_run_figure(run, "training.step_time_s", &step_s))
            printf("%s  %.3f s%s\n", sizes[i], step_s,
                   orrery_run_status(run) == ORRERY_NO ? ", does not fit" : "");
        else
            printf("%s  %s\n", sizes[i], orrery_run_message(run));
        orrery_run_free(run);
    }
    return ORRERY_OK;
}
