-- For `make bench`: prosody 0.12 finds other servers by the domain name system alone. With this
-- module the domains in `bench_places` are at ports of this machine.
local service = require "net.resolvers.service";
local basic = require "net.resolvers.basic";

local places = module:get_option("bench_places");
local ask = service.new;

local function nobody(_, found)
	found(nil);
end

function service.new(domain, kind, transport, extra)
	local port = places[domain];
	if not port then
		return ask(domain, kind, transport, extra);
	end
	if kind ~= "xmpp-server" then
		return { next = nobody };
	end
	return basic.new("127.0.0.1", port, transport, extra);
end
