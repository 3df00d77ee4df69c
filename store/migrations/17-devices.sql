-- v16 -> v17: Which devices have been told how to be verified
-- device is a hash of the user and the device: it names nobody.
CREATE TABLE told_device (
	device TEXT   PRIMARY KEY,
	sender TEXT   NOT NULL,
	at     BIGINT NOT NULL
);
CREATE INDEX told_device_sender ON told_device (sender);
CREATE INDEX parked_from ON parked (sender) WHERE next_at > 0;
