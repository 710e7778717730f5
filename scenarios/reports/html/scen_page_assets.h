/** Style, scripts and charting library of the HTML report, embedded by cmake/page.cmake; texts. */
#ifndef SCEN_PAGE_ASSETS_H
#define SCEN_PAGE_ASSETS_H

extern const char scen_page_css[];
extern const char scen_page_format[];
extern const char scen_page_charts[];
extern const char scen_page_script[];

/** Empty in a build without npm. */
extern const char scen_page_library[];

#endif
