/** Links that held transfers back, in reports of training and of serving. */
#ifndef SCEN_LINKS_H
#define SCEN_LINKS_H

#include "topo_hot_link.h"

#include <json-glib/json-glib.h>

/** Appends the worst of @links (of TopoHotLink, worst first) under @title; nothing when there are
 *  none, or NULL. */
void scen_links_text(GString *out, const char *title, const GArray *links);

/** Member @key: all of @links, an array; left out when NULL. */
void scen_links_json(JsonBuilder *json, const char *key, const GArray *links);

#endif
