/* A build without SimGrid, whichever this one is: the file that stands in for it is built here. */
#include <criterion/criterion.h>

#include <string.h>

#include "../../topology/topo_simgrid_absent.c"

Test(topo_simgrid_absent, says_what_to_install)
{
    g_autoptr(GError) error = NULL;
    GArray *hot_links = (GArray *)&error;
    SimRun *run = topo_simgrid_run(NULL, NULL, &hot_links, &error);
    cr_assert(run == NULL && hot_links == NULL && error != NULL);
    cr_expect(g_error_matches(error, TOPO_ERROR, TOPO_ERROR_NO_SIMGRID));
    cr_expect(strstr(error->message, "install libsimgrid-dev") != NULL, "%s", error->message);
}
