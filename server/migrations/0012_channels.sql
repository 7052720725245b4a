-- How a channel has fared is looked up by whoever watches the server: what waits on it is found without a look at every delivery of the
-- last month.
CREATE INDEX delivery_by_channel ON delivery (channel, state, outbox);
