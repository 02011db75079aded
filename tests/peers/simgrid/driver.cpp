// Runs a list of flows on a platform with SimGrid and prints when each flow ends.
//
//   driver PLATFORM.xml FLOWS.csv cm02|equal [SimGrid's options]     prints "id,seconds", in order
//
// Flows have the columns id,src,dst,bytes,start_s,after, without quotes. A flow is an actor that
// sleeps until the flow is released, sends, and releases those that wait for it.
//
// cm02: SimGrid as it is, where shares follow the latency of routes. equal: links have no latency
// inside SimGrid, so that shares are equal; a flow sleeps for the latency of its route first.

#include <simgrid/s4u.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace sg = simgrid::s4u;

struct Flow {
  std::string id;
  sg::Host* src = nullptr;
  sg::Host* dst = nullptr;
  double bytes = 0, released = 0, latency = 0, end = -1;
  std::string after;
  size_t waits = 0;
  std::vector<size_t> followers;
};

static std::vector<Flow> flows;
static bool equal = false;

static void release(size_t at);

static void run(size_t at)
{
  Flow& flow = flows[at];
  sg::this_actor::sleep_until(flow.released);
  const bool sends = flow.src != flow.dst && flow.bytes > 0;
  // Without bytes a flow takes the latency of its route in both modes.
  if (flow.latency > 0 && (equal || !sends))
    sg::this_actor::sleep_for(flow.latency);
  if (sends)
    sg::Comm::sendto_async(flow.src, flow.dst, flow.bytes)->wait();
  flow.end = sg::Engine::get_clock();
  for (size_t follower : flow.followers) {
    Flow& next    = flows[follower];
    next.released = std::max(next.released, flow.end);
    if (--next.waits == 0)
      release(follower);
  }
}

static void release(size_t at)
{
  sg::Actor::create("flow", flows[at].src, run, at);
}

static std::string cell(std::istream& from, char until)
{
  std::string text;
  std::getline(from, text, until);
  return text;
}

static void read(const char* path)
{
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::map<std::string, size_t> places;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    Flow flow;
    flow.id       = cell(cells, ',');
    flow.src      = sg::Host::by_name(cell(cells, ','));
    flow.dst      = sg::Host::by_name(cell(cells, ','));
    flow.bytes    = std::stod(cell(cells, ','));
    flow.released = std::stod(cell(cells, ','));
    flow.after    = cell(cells, '\n');
    places[flow.id] = flows.size();
    flows.push_back(flow);
  }
  for (size_t at = 0; at < flows.size(); ++at) {
    std::istringstream ids(flows[at].after);
    for (std::string id; std::getline(ids, id, ';');) {
      flows[places.at(id)].followers.push_back(at);
      ++flows[at].waits;
    }
  }
}

int main(int argc, char** argv)
{
  sg::Engine engine(&argc, argv); // takes its own options out of argv
  if (argc != 4) {
    std::fputs("driver PLATFORM.xml FLOWS.csv cm02|equal\n", stderr);
    return 2;
  }
  engine.load_platform(argv[1]);
  engine.seal_platform();
  equal = std::string(argv[3]) == "equal";
  read(argv[2]);
  for (Flow& flow : flows) {
    std::vector<sg::Link*> links;
    if (flow.src != flow.dst)
      flow.src->route_to(flow.dst, links, &flow.latency);
  }
  if (equal)
    for (sg::Link* link : engine.get_all_links())
      link->set_latency(0);
  for (size_t at = 0; at < flows.size(); ++at)
    if (flows[at].waits == 0)
      release(at);
  engine.run();
  for (const Flow& flow : flows)
    std::printf("%s,%.15g\n", flow.id.c_str(), flow.end);
  return 0;
}
