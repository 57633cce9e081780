-- Who put the product into the line: null where recognition did by itself.
alter table order_lines add column chosen_by text check (chosen_by in ('buyer', 'manager'));

-- What is open waits for a manager; what recognition was not sure of, somebody has chosen since.
update order_lines set chosen_by = 'manager'
    where state = 'ok' and json_valid(trace) and json_extract(trace, '$.why') not like '✅%';
