insert into price_types (id, name) values (1, '');
insert into persons (id, name, phone, phone_verified, created_at_ms) values
    (11, 'Олег Петров', '+79000000011', 1, :now), (12, 'Виктор Ткаченко', '+79000000012', 1, :now),
    (15, 'Сергей Ломов', '+79000000013', 1, :now);
insert into organizations (id, kind, name, inn, verified, created_at_ms) values
    (2, 'company', 'ИП Ткаченко В. С.', '644912345678', 1, :now),
    (3, 'company', 'ООО «Мебельная фабрика „Волга“»', '6450098765', 1, :now),
    (4, 'person', 'Олег Петров', null, 1, :now);
insert into products (id, external_id, sku, title, unit, available_thousandths, updated_at_ms) values
    (1, 'a1', '00-1234', 'Саморез 4×25 жёлтый', 'шт', 12000000, :now),
    (2, 'a2', '00-2201', 'Молния рул. Т5 чёрная 200 м', 'рул', 6000, :now),
    (3, 'a3', '00-2207', 'Молния рул. Т7 чёрная 100 м', 'рул', 0, :now),
    (4, 'a4', '00-0417', 'Поролон ST 2240 40 мм 1×2 м', 'лист', 84000, :now),
    (5, 'a5', '00-5110', 'Скоба обивочная 80/10 (10 000 шт)', 'кор', 31000, :now),
    (6, 'a6', '00-7003', 'Клей «Фаворит» аэрозольный 500 мл', 'шт', 240000, :now),
    (7, 'a7', '00-8801', 'Ткань «Велес» серый 04, ширина 1,4 м', 'м', 118500, :now),
    (8, 'a8', '00-8802', 'Ткань «Велес» графит 07, ширина 1,4 м', 'м', 40000, :now);
insert into prices (product_id, price_type_id, amount_kopecks, per) values
    (1, 1, 85, 1), (2, 1, 145000, 1), (3, 1, 199000, 1), (4, 1, 61500, 1), (5, 1, 48000, 1), (6, 1, 39500, 1), (7, 1, 48500, 1), (8, 1, 51000, 1);
insert into orders (id, number, uuid, organization_id, author_id, manager_id, status, source, delivery_kind, delivery_date, delivery_address, comment, total_kopecks, created_at_ms, updated_at_ms, onec_number, onec_acknowledged_at_ms) values
    (1, 1042, 'u1', 1, 1, null, 'new', 'bot', 'date', '2026-11-25', 'г. Энгельс, ул. Полтавская, 12', 'Позвонить до 12', 1245000, :now - 420000, :now - 420000, null, null),
    (2, 1041, 'u2', 2, 12, null, 'new', 'bot', 'any', null, '', '', 384050, :now - 2580000, :now, null, null),
    (3, 1040, 'u3', 3, 11, 2, 'accepted', 'bot', 'date', '2026-11-24', 'г. Саратов, пр-т Строителей, 31', '', 18460000, :now - 9000000, :now, 'УТ-004417', :now),
    (4, 1039, 'u4', 1, 1, 2, 'picking', 'panel', 'date', '2026-11-24', '', '', 2204500, :now - 90000000, :now, 'УТ-004416', :now),
    (5, 1038, 'u5', 4, 11, 2, 'needs_client', 'bot', 'pickup', null, '', '', 94000, :now - 96000000, :now, null, null),
    (6, 1037, 'u6', 2, 12, 15, 'ready', 'bot', 'pickup', null, '', '', 615000, :now - 180000000, :now, 'УТ-004410', :now),
    (7, 1036, 'u7', 3, 11, 15, 'shipped', 'bot', 'date', '2026-11-21', '', '', 9971540, :now - 270000000, :now, 'УТ-004402', :now),
    (8, 1035, 'u8', 1, 1, 2, 'done', 'bot', 'date', '2026-11-19', '', '', 1830000, :now - 520000000, :now, 'УТ-004391', :now),
    (9, 1034, 'u9', 4, 11, 2, 'rejected', 'bot', 'any', null, '', '', 0, :now - 610000000, :now, null, null),
    (10, 1033, 'u10', 2, 12, 15, 'cancelled', 'bot', 'any', null, '', '', 112000, :now - 700000000, :now, null, null);
insert into order_lines (order_id, position, raw, phrase, state, product_id, title, sku, quantity_thousandths, unit, base_quantity_thousandths, base_unit, price_amount_kopecks, price_per, sum_kopecks, candidates) values
    (1, 1, 'саморез 4х25 -4т.шт жёлтый', 'саморез 4х25 желтый', 'ok', 1, 'Саморез 4×25 жёлтый', '00-1234', 4000, 'тыс шт', 4000000, 'шт', 85, 1, 340000, '[]'),
    (1, 2, 'ткань велес серая 10м', 'ткань велес серая', 'manager', null, '', '', 10000, 'м', null, '', null, null, null, '[7,8]'),
    (1, 3, 'молния рулон т5 чёрная 2', 'молния рулон т5 черная', 'ok', 2, 'Молния рул. Т5 чёрная 200 м', '00-2201', 2000, 'рул', 2000, 'рул', 145000, 1, 290000, '[]'),
    (1, 4, 'Поролон 40 мм 10 листов', 'поролон 40 мм', 'ok', 4, 'Поролон ST 2240 40 мм 1×2 м', '00-0417', 10000, 'лист', 10000, 'лист', 61500, 1, 615000, '[]'),
    (1, 5, 'скобы 80/10 40 кор', 'скобы 80/10', 'ok', 5, 'Скоба обивочная 80/10 (10 000 шт)', '00-5110', 40000, 'кор', 40000, 'кор', 48000, 1, 1920000, '[]'),
    (1, 6, 'нитки в тон', 'нитки в тон', 'manager', null, '', '', null, '', null, '', null, null, null, '[]'),
    (2, 1, 'клей фаворит 6', 'клей фаворит', 'ok', 6, 'Клей «Фаворит» аэрозольный 500 мл', '00-7003', 6000, 'шт', 6000, 'шт', 39500, 1, 237000, '[]'),
    (3, 1, 'поролон 40', 'поролон 40', 'ok', 4, 'Поролон ST 2240 40 мм 1×2 м', '00-0417', 300000, 'лист', 300000, 'лист', 61500, 1, 18450000, '[]'),
    (4, 1, 'скобы', 'скобы', 'ok', 5, 'Скоба обивочная 80/10 (10 000 шт)', '00-5110', 5000, 'кор', 5000, 'кор', 48000, 1, 240000, '[]'),
    (4, 2, 'кант белый', 'кант белый', 'manager', null, '', '', 50000, 'м', null, '', null, null, null, '[]');
insert into files (id, chat_key, name, content, created_at_ms) values (1, 'web:panel', 'Счёт на оплату № 417.pdf', x'25504446', :now);
insert into order_events (order_id, at_ms, channel, person_id, kind, text, to_client, attachment) values
    (3, :now - 8000000, 'panel', 2, 'message', 'Файл «Счёт на оплату № 417.pdf»', 1, '{"chat":"web:panel","message_id":0,"file":1}'),
    (3, :now - 600000, 'bot', 11, 'message', 'Фото', 0, '{"chat":"tg:7","message_id":5,"file":null}');
insert into order_events (order_id, at_ms, channel, person_id, kind, text, to_client) values
    (1, :now - 420000, 'bot', 1, 'created', 'Заявка отправлена: 6 позиций, 12 450,00 ₽', 0),
    (1, :now - 300000, 'bot', 1, 'message', 'Ткань нужна в тон прошлой партии, если серой нет — графит', 0),
    (1, :now - 180000, 'panel', 2, 'note', 'Проверить остаток «Велес» на складе в Энгельсе', 0),
    (1, :now - 120000, 'panel', 2, 'line', 'Позиция 5: 4 → 40 кор', 0),
    (3, :now - 9000000, 'bot', 11, 'created', 'Заявка отправлена: 1 позиция, 184 600,00 ₽', 0),
    (3, :now - 8400000, 'panel', 2, 'status', 'Новая → Принята', 1),
    (3, :now - 2400000, 'bot', 11, 'message', 'Привезите, пожалуйста, до обеда: после двух на складе никого не будет, а пропуск выпишут только утром', 0),
    (3, :now - 1200000, 'bot', 11, 'message', 'И позвоните за час', 0);
update order_lines set price_amount_kopecks = null, price_per = null, sum_kopecks = null where order_id = 2;

insert into synonyms (organization_id, words, means, product_id, origin, created_at_ms) values
    (null, 'т.шт', 'тыс шт', null, 'manual', :now), (1, 'жёлтенький', null, 1, 'learnt', :now);
insert into learnt_phrases (organization_id, phrase, product_id, learnt_at_ms) values (1, 'саморез жёлтенький', 1, :now);
insert into categories (id, external_id, parent_id, title) values (1, 'c1', null, 'Крепёж'), (2, 'c2', 1, 'Саморезы'), (3, 'c3', null, 'Ткани и поролон');
update products set category_id = case when id = 1 then 2 when id = 5 then 1 else 3 end;

insert into threads (id, organization_id, author_id, order_id, topic, subject, created_at_ms, updated_at_ms) values
    (1, 1, 1, 1, 'stock', 'Когда будет поролон 20 мм?', :now - 5400000, :now - 5400000),
    (2, 3, 11, null, 'documents', 'Нужен счёт-фактура по № 1036', :now - 900000, :now - 900000);
insert into thread_messages (thread_id, person_id, from_staff, text, at_ms) values
    (1, 1, 0, 'Когда будет поролон 20 мм?', :now - 9000000),
    (1, 2, 1, 'Ждём поставку в четверг. Отложить для вас 30 листов?', :now - 7200000),
    (1, 1, 0, 'Да, отложите, пожалуйста', :now - 5400000),
    (2, 11, 0, 'Нужен счёт-фактура по № 1036', :now - 900000);
update counters set value = 1042 where name = 'order_number';


-- An exchange with 1C under way: good ones, one in part, a failure, a hiding that waits.
insert into price_types (id, external_id, name, currency) values (2, 'p2', 'Розничная', 'RUB'), (3, 'p3', 'Экспорт', 'USD');
insert into prices (product_id, price_type_id, amount_kopecks, per) values (1, 2, 110, 1), (2, 2, 169000, 1), (3, 3, 2200, 1);
insert into warehouses (id, external_id, name) values (1, 'w1', 'Основной склад'), (2, 'w2', 'Энгельс');
insert into stocks (product_id, warehouse_id, quantity_thousandths) values (1, 1, 9000000), (1, 2, 3000000), (2, 1, 6000);
insert into packs (product_id, unit, coefficient_thousandths) values (1, 'тыс шт', 1000000), (4, 'уп', 20000), (7, 'рул', 50000), (8, 'рул', 75000);
insert into settings (key, value, updated_at_ms) values ('onec.status:собран на складе', 'ready', :now), ('onec.status:выдан водителю', 'shipped', :now);
insert into exchanges (id, at_ms, duration_ms, way, kind, request_id, address, sender, session, received, created, changed, unchanged, skipped, hidden, held, error) values
    (1, :now - 86400000, 4200, 'commerceml', 'catalog', '', '192.168.0.7', '1C+Enterprise/8.3', 's1', 2310, 2310, 0, 0, 0, 0, 0, ''),
    (2, :now - 82800000, 61000, 'json', 'purchases', '7f1c9a52-3b1e', '192.168.0.7', '', '', 148, 0, 140, 0, 8, 0, 0, ''),
    (3, :now - 7200000, 320, 'pull', 'catalog', '0be41f7a-91c2', '192.168.0.5', '', '', 0, 0, 0, 0, 0, 0, 0, '1С молчит дольше отведённого'),
    (4, :now - 3600000, 95, 'json', 'statuses', 'a9d0c2e1-7744', '192.168.0.7', '', '', 4, 0, 3, 0, 1, 0, 0, ''),
    (5, :now - 1800000, 1840, 'commerceml', 'catalog', '', '192.168.0.7', '1C+Enterprise/8.3', 's2', 2318, 8, 84, 2223, 3, 0, 8, ''),
    (6, :now - 1790000, 60, 'commerceml', 'orders', '', '192.168.0.7', '1C+Enterprise/8.3', 's2', 2, 0, 0, 0, 0, 0, 0, ''),
    (7, :now - 300000, 780, 'pull', 'catalog', '51d3e0aa-20f4', '192.168.0.5', '', '', 2318, 0, 6, 2312, 0, 0, 0, '');
insert into exchange_problems (exchange_id, position, record, sku, reason) values
    (4, 0, 3, 'PM-1038', 'неизвестный статус «Отгружен частично»'),
    (5, 0, null, '', 'категория «Метизы» вложена сама в себя: поставлена в корень'),
    (5, 1, 17, '00-1771', 'поле «price» = «12р»: не число'),
    (5, 2, 204, '', 'нет названия'),
    (5, 3, 911, '00-8803', 'поле «stock_qty» = «много»: не число');
insert into exchange_steps (exchange_id, position, at_ms, step) values
    (5, 0, :now - 1802000, 'Вход: пользователь 1c'),
    (5, 1, :now - 1801500, 'Получен import.xml, 1 240 КБ'),
    (5, 2, :now - 1800800, 'Получен offers.xml, 860 КБ'),
    (5, 3, :now - 1800000, 'Загружены товары: 2 318, изменено 84');
insert into exchange_files (exchange_id, position, name, stored, bytes) values
    (5, 0, 'import.xml', '5-import.xml', 1240000), (5, 1, 'offers.xml', '5-offers.xml', 860000);
insert into held_hidings (id, exchange_id, at_ms, of_total) values (1, 5, :now - 1800000, 30);
insert into held_hiding_products (hiding_id, product_id) values (1, 5), (1, 6), (1, 7), (1, 8);
update orders set onec_offers = 3, onec_offered_at_ms = :now - 300000 where id = 7;
update orders set onec_acknowledged_at_ms = null, onec_number = null where id in (4, 7);
insert into golden_cases (name, text, lines, created_at_ms) values
    ('саморезы жёлтые', 'саморез 4х25 жёлтый 4000', '[]', :now);
insert into canned_replies (text, created_at_ms) values ('{имя}, заявка {номер} собрана, ждём вас до 18:00.', :now);
insert into saved_views (id, owner_id, name, query, name_key, shared, created_at_ms, updated_at_ms) values
    (1, 3, 'Крупные', 'view=all&status=new&status=accepted&sort=dearest', 'крупные', 0, :now, :now),
    (2, 2, 'Отгрузка без менеджера', 'view=all&status=ready&manager=none', 'отгрузка без менеджера', 1, :now, :now);
